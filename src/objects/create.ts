import { CrossmemError, hasCode } from '../errors.js'
import { checkBoolean } from '../util/index.js'
import { Segment } from './segment.js'

/** Options of every `create` and `openOrCreate`. */
export interface CreateOptions {
  /**
   * Whether the object stays when no living process has it open, until `unlink()` or a restart.
   * Default: false.
   */
  persist?: boolean
}

/** Refuses `new` by callers: it would open nothing. */
export function checkMaker(segment: unknown, kind: string): asserts segment is Segment {
  if (segment instanceof Segment) return
  throw new CrossmemError('ERR_INVALID_ARG', `make one with ${kind}.create, .open or open(), not with new`)
}

/** `{ persist }`, checked. */
export function checkPersist(options: CreateOptions | undefined): boolean {
  return checkBoolean('persist', options?.persist ?? false)
}

/** The bytes that follow an object's fields: zeros, unless there are contents. */
export interface ObjectData {
  byteLength: number
  contents?: Uint8Array
}

/** Makes the segment of an object that is more than bytes. */
export function createObject(
  kind: string,
  name: string | null,
  options: CreateOptions | undefined,
  params: number[],
  { byteLength, contents }: ObjectData = { byteLength: 0 },
): Segment {
  return Segment.create({
    name: name ?? undefined,
    kind,
    byteLength,
    persist: checkPersist(options),
    contents,
    contentsLength: contents?.byteLength,
    params,
  })
}

/**
 * Opens an object if it exists, else creates it. If another process creates or removes it between
 * the two steps, both are repeated. The caller has checked its own arguments: they are refused
 * whichever process comes first.
 */
export function openOrCreate<T>(options: CreateOptions | undefined, open: () => T, create: () => T): T {
  checkPersist(options)
  for (;;) {
    try {
      return open()
    } catch (error) {
      if (!hasCode(error, 'ERR_NOT_FOUND')) throw error
    }
    try {
      return create()
    } catch (error) {
      if (!hasCode(error, 'ERR_EXISTS')) throw error
    }
  }
}

/**
 * Closes an object that `openOrCreate` found with other properties than asked for. Returns the
 * error to throw.
 */
export function existsAs(found: { name: string; close(): void }, as: string): CrossmemError {
  found.close()
  return new CrossmemError('ERR_INVALID_ARG', `"${found.name}" exists ${as}; open() takes it as it is`)
}
