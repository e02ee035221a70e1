import { CrossmemError } from '../errors.js'

/** A codec as queues and pipes use it. */
export interface BoundCodec<T> {
  /** What the header says. */
  readonly id: number
  /** How messages call it. */
  readonly label: string
  /**
   * The bytes are only good until the next call.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG
   */
  encode(value: T): Uint8Array
  /**
   * The bytes need to be good during the call only.
   *
   * @throws {CrossmemError} ERR_CORRUPT
   */
  decode(bytes: Uint8Array): T
}

interface Implementation {
  id: number
  label: string
  encode(value: never): Uint8Array
  decode(bytes: Uint8Array): unknown
  /** Throws for what can't be encoded inside a value. Without it, nobody looks where that is. */
  probe?(value: unknown): unknown
}

/** Gives a codec the errors that all of them have. */
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
  (cause instanceof Error ? cause.message : String(cause)).replace(/\.?(\n.*)?$/s, '')

/** Where in a value it is that `probe` throws for, as one would write it: `.tags[1]`. */
function pathTo(value: unknown, probe: (value: unknown) => unknown): string {
  const seen = new Set<unknown>()
  let path = ''
  for (let at = value; typeof at === 'object' && at !== null && !seen.has(at); ) {
    seen.add(at)
    const parent = at as Record<string, unknown>
    const key = Object.keys(parent).find(key => throws(() => probe(parent[key])))
    if (key === undefined) break
    path += Array.isArray(parent) ? `[${key}]` : `.${key}`
    if (throws(() => (at = parent[key]))) break
  }
  return path
}

function throws(act: () => unknown): boolean {
  try {
    act()
    return false
  } catch {
    return true
  }
}
