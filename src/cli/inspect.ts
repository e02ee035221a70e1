import { inspect, type ObjectInfo } from '../domain.js'
import { native } from '../native.js'
import { contiguousStrides } from '../nd-view.js'
import { guardOffset } from '../ndarray.js'
import { decodeNpyHeader, type Order } from '../npy.js'
import { Segment } from '../segment.js'
import { agents, bytes, fields } from './format.js'
import { note } from './ls.js'
import { type Failure, failureOf, type Report } from './report.js'

interface ArrayInfo {
  dtype: string
  shape: number[]
  order: Order
  strides: number[]
  trailer: boolean
}

interface Found extends ObjectInfo {
  foreign: boolean
  array: ArrayInfo | null
  problem: Failure | null
}

export function run([name = '']: readonly string[]): Report {
  const { domain, objects } = inspect()
  const object = objects.find(candidate => candidate.name === name)
  const found = object ? withArray(object) : foreign(name)
  return {
    data: { domain, ...found },
    text: describe(found),
    failures: found.problem ? [found.problem] : [],
  }
}

function withArray(object: ObjectInfo): Found {
  const found: Found = { ...object, foreign: false, array: null, problem: null }
  // Opening one that is doomed, or that lost its name, would sweep it.
  if (object.kind !== 'NDArray' || object.doomed || !object.present) return found
  try {
    const segment = Segment.open(object.name)
    try {
      found.array = arrayIn(segment)
    } finally {
      segment.close()
    }
  } catch (error) {
    found.problem = failureOf(error)
  }
  return found
}

/** Shared memory that isn't in the registry: another program's, or another domain's. Throws if there is none. */
function foreign(name: string): Found {
  const segment = Segment.open(name)
  try {
    const { kind, byteLength, persist, foreign } = segment
    const seen = { name, kind, byteLength, persist, attached: [], doomed: false, present: true }
    return { ...seen, foreign, array: arrayIfAny(segment), problem: null }
  } finally {
    segment.close()
  }
}

function arrayIfAny(segment: Segment): ArrayInfo | null {
  try {
    return arrayIn(segment)
  } catch {
    return null
  }
}

function arrayIn(segment: Segment): ArrayInfo {
  const header = decodeNpyHeader(new Uint8Array(segment.buffer))
  const { dtype, shape, order, dataOffset, dataBytes } = header
  const trailer = hasTrailer(segment, guardOffset(dataOffset, dataBytes))
  return { dtype, shape, order, strides: contiguousStrides(shape, order), trailer }
}

function hasTrailer({ handle }: Segment, offset: number): boolean {
  try {
    return native.attachGuard(handle, offset)
  } catch (error) {
    // There is one, and its locks name another domain's agents.
    if (failureOf(error).code === 'ERR_WRONG_DOMAIN') return true
    throw error
  }
}

const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`

function describe(found: Found): string {
  const { array } = found
  return fields({
    name: found.name,
    kind: found.foreign ? 'foreign: shared memory that this domain did not make' : found.kind,
    bytes:
      found.byteLength < 1024 ? bytes(found.byteLength) : `${bytes(found.byteLength)} (${found.byteLength})`,
    persist: found.foreign ? undefined : found.persist ? 'yes' : 'no',
    attached: found.foreign ? undefined : agents(found.attached),
    dtype: array?.dtype,
    shape: array ? list(array.shape) : undefined,
    order: array?.order,
    strides: array ? list(array.strides) : undefined,
    trailer: array ? (array.trailer ? 'yes' : 'no: update() and snapshot() need one') : undefined,
    note: note(found) || undefined,
  })
}
