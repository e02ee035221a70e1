import { CrossmemError, hasCode } from '../errors.js'
import { checkBoolean } from '../util/index.js'
import { Segment } from './segment.js'

/** The options that every maker of objects takes. */
export interface CreateOptions {
  /** Keep the object when its last living user is gone, until it is unlinked or the system restarts. Default: false. */
  persist?: boolean
}

/** `new` is not how handles are made: that opens nothing. */
export function checkMaker(segment: unknown, kind: string): asserts segment is Segment {
  if (segment instanceof Segment) return
  throw new CrossmemError('ERR_INVALID_ARG', `make one with ${kind}.create, .open or open(), not with new`)
}

/** `{ persist }`, checked. */
export function checkPersist(options: CreateOptions | undefined): boolean {
  return checkBoolean('persist', options?.persist ?? false)
}

/** What lies behind the words of an object: so many bytes, zeros unless there are contents. */
export interface ObjectData {
  byteLength: number
  contents?: Uint8Array
}

/** What `create` makes. */
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
 * Opens what exists and creates what doesn't, whoever else does the same at that moment.
 * Another process may create between our two steps, or the last one may leave: then we look again.
 */
export function openOrCreate<T>(open: () => T, create: () => T): T {
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

/** Closes what `openOrCreate` found instead of what its caller described. Returns the error that says so. */
export function existsAs(found: { name: string; close(): void }, as: string): CrossmemError {
  found.close()
  return new CrossmemError('ERR_INVALID_ARG', `"${found.name}" exists ${as}; open() takes it as it is`)
}
