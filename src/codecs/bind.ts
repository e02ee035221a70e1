import { types } from 'node:util'
import { CrossmemError } from '../errors.js'
import { STAYS } from '../util/index.js'
import type { StructureList } from './structures.js'

/** A codec as queues and pipes use it. */
export interface BoundCodec<T> {
  /** The number of the codec in an object's header. */
  readonly id: number
  /** The name of the codec in error messages. */
  readonly label: string
  /**
   * Makes bytes of a value. They are valid only until the next call.
   *
   * @param what how an error message calls the value. Default: 'value'
   * @throws {CrossmemError} ERR_INVALID_ARG: the value can't be sent
   */
  encode(value: T, what?: string): Uint8Array
  /**
   * Makes a value of bytes, which need to be valid only during the call.
   *
   * @throws {CrossmemError} ERR_CORRUPT: this codec didn't write the bytes
   */
  decode(bytes: Uint8Array): T
  /** The same codec for a queue that has structures. */
  readonly withStructures?: ((list: StructureList, memory: Memory) => CodecInPlace<T>) | undefined
}

/** A codec that writes to memory and reads from it. What it reads runs no code of the user's. */
export interface CodecInPlace<T> {
  /**
   * Writes a value to the beginning of the memory, and returns its length; or returns bytes that
   * are valid until the next call.
   *
   * @throws {CrossmemError} as `encode`
   */
  write(value: T): number | Uint8Array
  /**
   * Writes values one behind the other. `bytes` are those of all, valid until the next call, if
   * they are not in the memory.
   *
   * @throws {CrossmemError} as `encode`
   */
  writeMany(values: readonly T[]): { readonly ends: number[]; readonly bytes?: Uint8Array }
  /**
   * Makes a value of bytes in the memory.
   *
   * @throws {CrossmemError} as `decode`
   */
  read(start: number, end: number): T
  /** As `decode`. */
  decode(bytes: Uint8Array): T
}

/** Memory for messages, which other code uses, too. */
export interface Memory {
  readonly bytes: Uint8Array
  /** Set while a value is written: `leave` is called if a getter of the value needs the memory. */
  user: { leave(): void } | undefined
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
  withStructures?(list: StructureList, memory: Memory): CodecInPlace<unknown>
}

/** Gives a codec the errors that all codecs have. */
export function bind<T>(codec: Implementation): BoundCodec<T> {
  const { id, label, encode, decode, probe, withStructures } = codec
  return {
    id,
    label,
    withStructures: withStructures as BoundCodec<T>['withStructures'],
    encode: (value, what) => {
      try {
        return encode(value as never)
      } catch (cause) {
        throw cannotSend(value, cause, probe, what)
      }
    },
    decode: bytes => {
      try {
        return decode(bytes) as T
      } catch (cause) {
        throw notWritten(bytes.length, label, cause)
      }
    },
  }
}

/** The error for a value that can't be encoded. It says which part, if `probe` finds it. */
export function cannotSend(
  value: unknown,
  cause: unknown,
  probe?: (value: unknown) => unknown,
  what = 'value',
): CrossmemError {
  if (cause instanceof CrossmemError) return cause
  const path = probe ? pathTo(value, probe) : ''
  return new CrossmemError(
    'ERR_INVALID_ARG',
    `${what}${path} can't be sent: ${reason(cause)}; leave it out, or send something else for it`,
    { cause },
  )
}

/** The error for bytes that are no message of a codec. */
export const notWritten = (length: number, label: string, cause: unknown): CrossmemError =>
  new CrossmemError(
    'ERR_CORRUPT',
    `a message of ${length} bytes is not what the codec, ${label}, writes: ${reason(cause)}`,
    { cause },
  )

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
