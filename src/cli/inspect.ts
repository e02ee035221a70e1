import { type ArrayInfo, arrayIfAny, arrayIn } from '../arrays/index.js'
import { type HolderInfo, inspect, type ObjectInfo, usersOf } from '../domain.js'
import { dtypeText } from '../nd/index.js'
import { Segment } from '../objects/index.js'
import { agent, agents, bytes, fields, groupOf } from './format.js'
import { note } from './ls.js'
import { type Failure, failureOf, type Report } from './report.js'

interface Found extends ObjectInfo {
  foreign: boolean
  array: ArrayInfo | null
  /**
   * The agents that hold it or update it, and those that wait at it; null for bytes, and for arrays
   * without a trailer.
   */
  holders: HolderInfo[] | null
  waiters: HolderInfo[] | null
  problem: Failure | null
}

export function run([name = '']: readonly string[]): Report {
  const state = inspect()
  const { domain, objects } = state
  const object = objects.find(candidate => candidate.name === name)
  const found = object ? withContents(object) : foreign(name)
  return {
    data: { domain, group: groupOf(state), ...found },
    text: describe(found),
    failures: found.problem ? [found.problem] : [],
  }
}

function withContents(object: ObjectInfo): Found {
  const found: Found = {
    ...object,
    foreign: false,
    array: null,
    holders: null,
    waiters: null,
    problem: null,
  }
  // Opening one that is doomed, or that lost its name, would sweep it.
  if (object.kind === 'SharedMemory' || object.doomed || !object.present) return found
  try {
    const segment = Segment.open(object.name)
    try {
      if (object.kind === 'NDArray') found.array = arrayIn(segment)
      if (found.array?.trailer !== false) Object.assign(found, usersOf(segment.handle))
    } finally {
      segment.close()
    }
  } catch (error) {
    found.problem = failureOf(error)
  }
  return found
}

/**
 * Shared memory that isn't in the registry: another program's, or another domain's. Throws if there
 * is none.
 */
function foreign(name: string): Found {
  const segment = Segment.open(name)
  try {
    const { kind, byteLength, persist, foreign } = segment
    const seen = { name, kind, byteLength, persist, attached: [], doomed: false, present: true }
    return { ...seen, foreign, array: arrayIfAny(segment), holders: null, waiters: null, problem: null }
  } finally {
    segment.close()
  }
}

/** "1234, 1235 x 3, dead x 2" */
function holders(found: readonly HolderInfo[]): string {
  const times = (count: number) => (count === 1 ? '' : ` x ${count}`)
  return found.map(one => (one.alive ? agent(one) : 'dead') + times(one.count)).join(', ') || '-'
}

const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`

function describe(found: Found): string {
  const { array } = found
  const isBarrier = found.kind === 'Barrier'
  return fields({
    name: found.name,
    kind: found.foreign ? 'foreign: shared memory that this domain did not make' : found.kind,
    bytes:
      found.byteLength < 1024 ? bytes(found.byteLength) : `${bytes(found.byteLength)} (${found.byteLength})`,
    persist: found.foreign ? undefined : found.persist ? 'yes' : 'no',
    attached: found.foreign ? undefined : agents(found.attached),
    dtype: array ? dtypeText(array.dtype) : undefined,
    shape: array ? list(array.shape) : undefined,
    order: array?.order,
    strides: array ? list(array.strides) : undefined,
    trailer: array ? (array.trailer ? 'yes' : 'no: update() and snapshot() need one') : undefined,
    held: found.holders && !isBarrier ? holders(found.holders) : undefined,
    waiting: found.waiters?.length || isBarrier ? holders(found.waiters ?? []) : undefined,
    note: note(found) || undefined,
  })
}
