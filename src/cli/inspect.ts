import { type ArrayInfo, arrayIfAny, arrayIn } from '../arrays/index.js'
import { inspect, type ObjectInfo } from '../domain.js'
import { dtypeText } from '../nd/index.js'
import { Segment } from '../objects/index.js'
import { type RecordsInfo, recordsInfo } from '../queues/index.js'
import { agentList, bytes, fields, groupOf, type List, table, userGroup, whole } from './format.js'
import { waiting } from './listing.js'
import { type Listed, type NamedLockInfo, type Observation, observe } from './observe.js'
import { failureOf, type Options, type Report } from './report.js'
import { stateOf } from './state.js'
import { type Values, valuesOf, valuesText } from './values.js'
import { type WorkerInfo, workersIn, workersText } from './workers.js'

interface Found extends Listed {
  foreign: boolean
  array: ArrayInfo | null
  /** Of a queue of records. */
  records: RecordsInfo | null
  /** Of the queue of a pool. */
  workers: WorkerInfo[] | null
  values: Values | null
}

export async function run([name = '']: readonly string[], options: Options): Promise<Report> {
  const state = inspect()
  const object = state.objects.find(candidate => candidate.name === name)
  if (!object) {
    // What managers need is loaded only to look for one.
    const { describeManager } = await import('./managers.js')
    const report = await describeManager(name, options)
    if (report) return report
  }
  let found: Found
  if (object) {
    const [seen] = observe(state, [object]) as [Listed]
    found = { ...seen, foreign: false, array: null, records: null, workers: null, values: null }
    const isThere = object.present && !object.doomed
    // Opening one that is doomed, or that lost its name, would sweep it.
    if (isThere && seen.problem === null) {
      lookInside(found, options)
      if (found.kind === 'Pool') found.workers = await workersIn(state, name)
    }
  } else {
    found = foreign(name, options)
  }
  return {
    data: { domain: state.domain, group: groupOf(state), ...found },
    text: describe(found, options),
    failures: found.problem ? [found.problem] : [],
  }
}

/** Opens the object to read what only its opener can. */
function lookInside(found: Found, options: Options): void {
  const { head, plot } = options
  if (found.kind !== 'NDArray' && found.kind !== 'RecordQueue' && !head && !plot) return
  try {
    const segment = Segment.open(found.name)
    try {
      if (found.kind === 'NDArray') found.array = arrayIn(segment)
      if (found.kind === 'RecordQueue') found.records = recordsInfo(segment)
      if (head || plot) found.values = valuesOf(segment, options)
    } finally {
      segment.close()
    }
  } catch (error) {
    found.problem = failureOf(error)
  }
}

/**
 * Shared memory that isn't in the registry: another program's, or another domain's. Throws if there
 * is none.
 */
function foreign(name: string, options: Options): Found {
  const segment = Segment.open(name, 'SharedMemory')
  try {
    const { kind, byteLength, persist, foreign } = segment
    const object = { name, kind, byteLength, persist, attached: [], doomed: false, present: true }
    const seen = { state: {}, holders: [], waiters: [], locks: null, problem: null }
    const array = arrayIfAny(segment)
    const found: Found = { ...object, ...seen, foreign, array, records: null, workers: null, values: null }
    if (options.head || options.plot) found.values = valuesOf(segment, options)
    return found
  } finally {
    segment.close()
  }
}

/** Whether nothing waits at objects of that class, and nothing holds them. */
const isPlain = (kind: string): boolean => kind === 'SharedMemory' || kind === 'ShareableList'

const list = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`

function describe(found: Found, { columns }: Options): string {
  const { array, records, foreign, kind, problem } = found
  const dtype = array?.dtype ?? records?.dtype
  const isWatched = !foreign && !isPlain(kind) && problem === null
  const described = {
    name: found.name,
    kind: foreign ? 'foreign: shared memory that this domain did not make' : kind,
    bytes:
      found.byteLength < 1024 ? bytes(found.byteLength) : `${bytes(found.byteLength)} (${found.byteLength})`,
    persist: foreign ? undefined : found.persist ? 'yes' : 'no',
    attached: foreign ? undefined : whole(agentList(found.attached)),
    dtype: dtype && dtypeText(dtype),
    shape: array ? list(array.shape) : undefined,
    order: array?.order,
    strides: array ? list(array.strides) : undefined,
    trailer: array ? (array.trailer ? 'yes' : 'no: update() and snapshot() need one') : undefined,
    state: (isWatched && stateOf(found, found)) || undefined,
    held: isWatched ? whole(holders(found)) : undefined,
    waiting: isWatched ? whole(waiting(found)) : undefined,
    note: note(found),
  }
  const locks = found.locks?.length ? namedLocks(found.locks, columns) : ''
  const workers = found.workers?.length ? workersText(found.workers, columns) : ''
  const values = found.values ? valuesText(found.values, columns) : ''
  return [fields(described, columns), locks, workers, values].filter(Boolean).join('\n\n')
}

/** "4711", "consumer: 4711; producer: 4712": who holds an object, and what of it. */
export function holders({ holders: found }: Observation): List | '-' {
  if (found.length === 0) return '-'
  const kinds = [...new Set(found.map(({ holds }) => holds))]
  // "lock" goes without saying.
  const group = (holds: string) =>
    userGroup(
      found.filter(one => one.holds === holds),
      { before: holds === 'lock' ? '' : `${holds}: ` },
    )
  return { groups: kinds.map(group) }
}

/** What else is to be known of an object. */
function note({ doomed, present }: ObjectInfo): string | undefined {
  if (doomed) return 'doomed: the next sweep removes it'
  return present ? undefined : 'name removed by another program'
}

function namedLocks(locks: readonly NamedLockInfo[], room: number | undefined): string {
  const modes = ({ holders: held, waiters }: NamedLockInfo) => (held[0] ?? waiters[0])?.mode ?? '-'
  return table(
    [
      { heading: 'LOCK', isCut: true },
      { heading: 'MODE' },
      { heading: 'HELD', isList: true },
      { heading: 'WAITING', isList: true },
    ],
    locks.map(lock => [lock.name, modes(lock), agentList(lock.holders), agentList(lock.waiters)]),
    room,
  ).join('\n')
}
