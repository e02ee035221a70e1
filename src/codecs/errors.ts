import { CrossmemError } from '../errors.js'
import { define } from './properties.js'

/** What an error consists of, apart from its class. */
export interface ErrorParts {
  /** The most special class that every runtime has: an index of `classes`. */
  readonly index: number
  /** Properties that a loop over its keys doesn't show: `message`, `stack`, `cause` … */
  readonly hidden: ReadonlyMap<string, unknown>
  /** The names of the properties that it shows. */
  readonly shown: readonly string[]
}

type ErrorClass = new (...message: never[]) => Error

/** An error's class travels as its place in this list. */
const classes: readonly (readonly [name: string, Class: ErrorClass | undefined])[] = [
  ['Error', Error],
  ['EvalError', EvalError],
  ['RangeError', RangeError],
  ['ReferenceError', ReferenceError],
  ['SyntaxError', SyntaxError],
  ['TypeError', TypeError],
  ['URIError', URIError],
  ['AggregateError', AggregateError],
  ['CrossmemError', CrossmemError],
  // Node 24 and later.
  ['SuppressedError', (globalThis as { SuppressedError?: ErrorClass }).SuppressedError],
]

const hiddenNames: ReadonlySet<string> = new Set([
  'name',
  'message',
  'stack',
  'cause',
  'errors',
  'error',
  'suppressed',
])

/** Takes an error apart. It may be of another realm, or of another copy of this package. */
export function partsOf(error: object): ErrorParts {
  const [index, className] = classOf(error)
  const hidden = new Map<string, unknown>()
  for (const key of hiddenNames) {
    const property = Object.getOwnPropertyDescriptor(error, key)
    if (property?.enumerable) continue
    const value = (error as Record<string, unknown>)[key]
    if (property || isOfItsClass(key, value, className)) hidden.set(key, value)
  }
  return { index, hidden, shown: Object.keys(error) }
}

/** Takes a DOMException apart. It inherits its message and its name. */
export function partsOfException(exception: object): ErrorParts {
  const { index, hidden, shown } = partsOf(exception)
  return { index, hidden: new Map([...hidden].filter(([key]) => Object.hasOwn(exception, key))), shown }
}

/** Whether an error inherits a name or a text from a class that stays here. */
function isOfItsClass(key: string, value: unknown, className: string): boolean {
  if (key === 'name') return typeof value === 'string' && value !== className
  return (key === 'message' || key === 'stack') && typeof value === 'string' && value !== ''
}

function classOf(error: object): [index: number, name: string] {
  for (let at = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
    const Class: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value
    if (typeof Class !== 'function') continue
    const index = classes.findIndex(([name]) => name === Class.name)
    if (index >= 0) return [index, Class.name]
  }
  return [0, 'Error']
}

/** Makes an error of a class, without any property of its own. */
export function bareError(index: number): Error {
  const known = classes[index]
  if (!known) throw new RangeError(`there is no class of errors ${index}`)
  const [name, Class] = known
  // Only a constructor gives an object the slot that makes it an error.
  const error = bare(() => new Error())
  if (Class) Object.setPrototypeOf(error, Class.prototype)
  else define(error, 'name', name, false)
  return error
}

/** Makes a DOMException without properties of its own. */
export const bareException = (message: string, name: string): Error =>
  bare(() => new DOMException(message, name))

function bare(make: () => Error): Error {
  const { stackTraceLimit } = Error
  // The stack of the sender follows. Intrinsics may be frozen.
  Reflect.set(Error, 'stackTraceLimit', 0)
  try {
    const error = make()
    for (const key of Object.getOwnPropertyNames(error)) Reflect.deleteProperty(error, key)
    return error
  } finally {
    if (stackTraceLimit !== undefined) Reflect.set(Error, 'stackTraceLimit', stackTraceLimit)
    else Reflect.deleteProperty(Error, 'stackTraceLimit')
  }
}

/** Gives an error a property that a loop over its keys doesn't show. */
export function hide(error: object, key: unknown, value: unknown): void {
  if (typeof key !== 'string' || !hiddenNames.has(key)) throw new RangeError('an error has no such part')
  define(error, key, value, false)
}
