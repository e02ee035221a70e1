import { types } from 'node:util'
import { Cursor } from './cursor.js'
import { type Call, Cell, type Methods, Stored, text } from './stored.js'
import { decode, encode, mayHaveReferences, openReferences, refused } from './values.js'

type Function = (...args: unknown[]) => unknown

/** An object of a class of the user's. */
export class StoredInstance extends Stored {
  readonly kind = 'Instance'
  readonly methods = methods
  readonly instance: object

  constructor(instance: object) {
    super()
    this.instance = instance
  }

  override *children(): Iterable<Stored> {}

  override state(): object {
    return { class: this.instance.constructor.name }
  }

  /**
   * What the class, or one that it extends, has under a name. An object's own properties, names
   * that begin with `_`, and all that every object has are out of reach.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG
   */
  member(name: string): PropertyDescriptor {
    const isHidden = name.startsWith('_') || name.startsWith('#') || hidden.has(name)
    for (
      let at: object | null = Object.getPrototypeOf(this.instance);
      !isHidden && at !== null && Object.getPrototypeOf(at) !== null;
      at = Object.getPrototypeOf(at)
    ) {
      const member = Object.getOwnPropertyDescriptor(at, name)
      if (member) return member
    }
    throw refused(
      `${this.instance.constructor.name} has no method ${JSON.stringify(name.slice(0, 80))} that clients may call`,
    )
  }
}

/** Names that JavaScript itself calls, or that lead to what isn't the object's. */
const hidden = new Set([
  'constructor',
  '__proto__',
  'prototype',
  'then',
  'toJSON',
  'caller',
  'callee',
  'arguments',
])

async function run(stored: StoredInstance, call: Call, name: unknown, args: unknown): Promise<unknown> {
  const { value } = stored.member(text(name))
  if (typeof value !== 'function') throw refused(`${text(name)} is no method: read it without calling it`)
  return resultOf(call, await (value as Function).apply(stored.instance, argumentsOf(call, args)))
}

async function read(stored: StoredInstance, call: Call, name: unknown): Promise<unknown> {
  const { get } = stored.member(text(name))
  if (!get) throw refused(`${text(name)} is no getter: call it`)
  return resultOf(call, await get.call(stored.instance))
}

/** The arguments of a client's call. An object of a class arrives as itself, others as proxies. */
export function argumentsOf(call: Call, args: unknown): unknown[] {
  if (!Array.isArray(args)) throw refused('arguments are an array')
  return args.map(arg => {
    const { bytes, objects } = call.cell(arg)
    const [only] = objects
    const value = decode(bytes)
    if (only instanceof StoredInstance && (value as { crossmem?: unknown }).crossmem === 'Managed')
      return only.instance
    return mayHaveReferences(bytes) ? openReferences(value) : value
  })
}

/**
 * What a method returned: objects of registered classes and what iterates go by reference, all else
 * by value.
 */
export function resultOf(call: Call, result: unknown): unknown {
  const known = call.client.store.byReference(result)
  if (known) return ['object', call.object(known)]
  if (types.isGeneratorObject(result)) {
    const items = result as Generator<unknown> | AsyncGenerator<unknown>
    return ['object', call.object(call.client.adopt(new Cursor(encoded(items))))]
  }
  return ['value', call.value(new Cell(encode(result, 'the result')))]
}

async function* encoded(items: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<Cell[]> {
  for await (const item of items) yield [new Cell(encode(item, 'an item'))]
}

const methods: Methods<StoredInstance> = { run, read }
