import type { DType } from './dtype.js'
import { CrossmemError } from './errors.js'
import { NDArray } from './ndarray.js'
import { Segment } from './segment.js'
import { SharedMemory } from './shared-memory.js'

/** What a handle becomes when it travels through JSON, `process.send` or `postMessage`. */
export interface Reference {
  crossmem: string
  name: string
}

const classes: Record<string, (segment: Segment) => SharedMemory | NDArray> = {
  SharedMemory: segment => SharedMemory.attach(segment),
  NDArray: segment => NDArray.attach(segment),
}

/**
 * Opens what a reference, or a name, stands for, as the class that it is. Memory that another program made is a
 * SharedMemory unless the reference says otherwise.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG (not a reference), ERR_UNSUPPORTED (a class that this version doesn't have), and
 *   as the class's own `open`
 */
export function open(reference: { crossmem: 'SharedMemory'; name: string }): SharedMemory
export function open<D extends DType = DType>(reference: { crossmem: 'NDArray'; name: string }): NDArray<D>
export function open(reference: Reference | string): SharedMemory | NDArray
export function open(reference: Reference | string): SharedMemory | NDArray {
  const { crossmem: kind, name } =
    typeof reference === 'string' ? { name: reference } : checkReference(reference)
  const segment = Segment.open(name, kind)
  const attach = classes[segment.kind]
  if (attach) return attach(segment)
  segment.close()
  throw unsupported(segment.kind)
}

function checkReference(reference: unknown): { crossmem?: string; name: string } {
  const { crossmem, name } = Object(reference) as Record<string, unknown>
  if (typeof crossmem !== 'string' || typeof name !== 'string') {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      'open() takes a name, or a reference: what a handle becomes as JSON',
    )
  }
  if (!Object.hasOwn(classes, crossmem)) throw unsupported(crossmem)
  return { crossmem, name }
}

const unsupported = (kind: string): CrossmemError =>
  new CrossmemError('ERR_UNSUPPORTED', `this version of crossmem has no class ${kind}; update it`)
