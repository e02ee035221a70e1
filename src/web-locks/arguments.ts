import { isAbortSignal } from '../util/index.js'
import { throwIfAborted } from '../wait/index.js'
import type { LockMode } from './types.js'

// The conversions that Web IDL prescribes for the arguments of `request`.
// https://webidl.spec.whatwg.org/

/** The arguments of a request, converted and checked. */
export interface CheckedRequest {
  name: string
  mode: LockMode
  ifAvailable: boolean
  steal: boolean
  signal: AbortSignal | undefined
  callback: (lock: unknown) => unknown
}

/**
 * Converts the arguments of `request`, in the order of the specification: getters can observe it.
 *
 * @throws {TypeError} an argument has a wrong type
 * @throws {DOMException} NotSupportedError: options that exclude each other, or a reserved name
 * @throws the signal's reason, if `signal` is aborted already
 */
export function checkRequest(given: unknown[]): CheckedRequest {
  if (given.length < 2) throw new TypeError('request() takes a name and a callback')
  // A template literal converts as DOMString does: it refuses symbols.
  const name = `${given[0] as string}`
  const options = toOptions(given.length > 2 ? given[1] : undefined)
  const callback = given.length > 2 ? given[2] : given[1]
  if (typeof callback !== 'function') throw new TypeError('the callback of request() is not a function')
  const { mode, ifAvailable, steal, signal } = options
  if (name.startsWith('-')) throw notSupported('names that start with "-" are reserved')
  if (steal && ifAvailable) throw notSupported('steal and ifAvailable exclude each other')
  if (steal && mode !== 'exclusive') throw notSupported('only exclusive locks can be stolen')
  if (signal && (steal || ifAvailable)) {
    throw notSupported('signal goes neither with steal nor with ifAvailable: such requests never wait')
  }
  throwIfAborted(signal)
  return { name, ...options, callback: callback as CheckedRequest['callback'] }
}

function toOptions(given: unknown): Omit<CheckedRequest, 'name' | 'callback'> {
  if (given !== undefined && given !== null && typeof given !== 'object' && typeof given !== 'function') {
    throw new TypeError('the options of request() are an object')
  }
  const members = (given ?? {}) as Record<string, unknown>
  const ifAvailable = Boolean(members.ifAvailable)
  const mode = toMode(members.mode)
  const signal = toSignal(members.signal)
  const steal = Boolean(members.steal)
  return { mode, ifAvailable, steal, signal }
}

function toMode(given: unknown): LockMode {
  if (given === undefined) return 'exclusive'
  const mode = `${given as string}`
  if (mode === 'exclusive' || mode === 'shared') return mode
  throw new TypeError(`mode is "exclusive" or "shared", not "${mode}"`)
}

function toSignal(given: unknown): AbortSignal | undefined {
  if (given === undefined || isAbortSignal(given)) return given
  throw new TypeError('signal is an AbortSignal')
}

const notSupported = (message: string): DOMException => new DOMException(message, 'NotSupportedError')
