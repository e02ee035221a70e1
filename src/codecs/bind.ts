import { types } from 'node:util'
import { CrossmemError } from '../errors.js'
import { STAYS } from '../util/index.js'

/** A codec as queues and pipes use it. */
export interface BoundCodec<T> {
  /** The number of the codec in an object's header. */
  readonly id: number
  /** The name of the codec in error messages. */
  readonly label: string
  /**
   * Makes bytes of a value. They are valid only until the next call.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the value can't be sent
   */
  encode(value: T): Uint8Array
  /**
   * Makes a value of bytes, which need to be valid only during the call.
   *
   * @throws {CrossmemError} ERR_CORRUPT: this codec didn't write the bytes
   */
  decode(bytes: Uint8Array): T
}

interface Implementation {
  id: number
  label: string
  encode(value: never): Uint8Array
  decode(bytes: Uint8Array): unknown
  /**
   * Throws for a part of a value that can't be encoded. Without it, the error doesn't say which
   * part.
   */
  probe?(value: unknown): unknown
}

/** Gives a codec the errors that all codecs have. */
export function bind<T>({ id, label, encode, decode, probe }: Implementation): BoundCodec<T> {
  return {
    id,
    label,
    encode: value => {
      try {
        return encode(value as never)
      } catch (cause) {
        if (cause instanceof CrossmemError) throw cause
        const path = probe ? pathTo(value, probe) : ''
        throw new CrossmemError(
          'ERR_INVALID_ARG',
          `value${path} can't be sent: ${reason(cause)}; leave it out, or send something else for it`,
          { cause },
        )
      }
    },
    decode: bytes => {
      try {
        return decode(bytes) as T
      } catch (cause) {
        throw new CrossmemError(
          'ERR_CORRUPT',
          `a message of ${bytes.length} bytes is not what the codec, ${label}, writes: ${reason(cause)}`,
          { cause },
        )
      }
    },
  }
}

const reason = (cause: unknown): string =>
  (types.isNativeError(cause) ? cause.message : String(cause)).replace(/\.?(\n.*)?$/s, '')

/** The path to the part of a value for which `probe` throws: `.tags[1]`. */
function pathTo(value: unknown, probe: (value: unknown) => unknown): string {
  const seen = new Set<unknown>()
  let path = ''
  for (let at = value; typeof at === 'object' && at !== null && !seen.has(at) && !(STAYS in at); ) {
    seen.add(at)
    const parent = at as Record<string, unknown>
    const key = keysOf(parent).find(key => throws(() => probe(parent[key])))
    if (key === undefined) break
    path += Array.isArray(parent) ? `[${key}]` : `.${key}`
    if (throws(() => (at = parent[key]))) break
  }
  return path
}

/** The names of an object's properties, and of the parts of an error. */
function keysOf(object: object): string[] {
  const keys = Object.keys(object)
  return types.isNativeError(object) ? [...keys, ...Object.getOwnPropertyNames(object)] : keys
}

function throws(act: () => unknown): boolean {
  try {
    act()
    return false
  } catch {
    return true
  }
}
