// Targets of the sections about queues.

import { type Table, type Target, times } from '../harness/section.js'
import { COPIED, SEND_ADVANCED, SEND_JSON } from '../queues/kinds.js'
import { ARRAY_QUEUE, MPMC, RTRB, SPSC } from '../queues/rust-kinds.js'

const SENDS = [SEND_JSON, SEND_ADVANCED]

/** The name of a peer that sends one by one, in a table of batches. */
export const oneByOne = (name: string): string => `${name}, one by one`

/** The fastest of the rows with these names. */
const fastest = (table: Table, names: string[]): string =>
  names.reduce((best, name) => (times(table, best, name).median > 1 ? name : best))

const ours = (table: Table): string =>
  fastest(
    table,
    table.rows.map(({ name }) => name).filter(name => name.startsWith('crossmem')),
  )

const startingWith = (table: Table, start: string): string =>
  table.rows.find(({ name }) => name.startsWith(start))?.name as string

export const queueTargets = (bytes: Table, objects: Table): Target[] => [
  {
    what: "small objects, one by one: throughput as a multiple of process.send's, the faster of 'json' and 'advanced'",
    got: times(objects, fastest(objects, SENDS), startingWith(objects, 'crossmem: Queue, await')),
    atLeast: 8,
  },
  ...pythonTarget(objects),
  {
    what: "records of five fields, one by one: throughput as a multiple of process.send's, the faster of 'json' and 'advanced'",
    got: times(objects, fastest(objects, SENDS), startingWith(objects, 'crossmem: RecordQueue, await')),
    atLeast: 6,
  },
  {
    what: "64 B, one by one: throughput as a multiple of process.send's",
    got: times(bytes, fastest(bytes, SENDS), ours(bytes)),
    atLeast: 20,
  },
  {
    what: "64 B, one by one: throughput as a multiple of ringbuf.js's between threads",
    got: times(bytes, startingWith(bytes, 'threads: ringbuf.js'), ours(bytes)),
    atLeast: 1,
  },
]

/** Python may be missing. */
function pythonTarget(objects: Table): Target[] {
  const python = objects.rows.find(({ name }) => name.startsWith('Python') && name.endsWith(': Queue'))
  if (!python) return []
  return [
    {
      what: "small objects, one by one: throughput as a multiple of Python's Queue's",
      got: times(objects, python.name, startingWith(objects, 'crossmem: Queue, await')),
      atLeast: 10,
    },
  ]
}

/** process.send has no call for a batch, so bytes are compared one by one, objects as an array. */
export const batchTargets = (batches: Table, objects: Table): Target[] => [
  {
    what: "small objects, in batches: throughput as a multiple of process.send's of an array, 'json'",
    got: times(objects, SEND_JSON, startingWith(objects, 'crossmem: Queue, await')),
    atLeast: 2.5,
  },
  {
    what: "small objects, in batches: throughput as a multiple of postMessage's of an array",
    got: times(objects, COPIED, startingWith(objects, 'crossmem: Queue, await')),
    atLeast: 1,
  },
  {
    what: "records of five fields, in batches: throughput as a multiple of process.send's, one by one",
    got: times(
      objects,
      fastest(objects, SENDS.map(oneByOne)),
      startingWith(objects, 'crossmem: RecordQueue, await'),
    ),
    atLeast: 10,
  },
  {
    what: "64 B, in batches: throughput as a multiple of process.send's, one by one",
    got: times(batches, fastest(batches, SENDS.map(oneByOne)), ours(batches)),
    atLeast: 100,
  },
]

export const tripTargets = (parked: Table): Target[] => [
  {
    what: "64 B round trips, parked: time as a share of process.send's",
    got: times(parked, ours(parked), fastest(parked, SENDS)),
    atMost: 1 / 3,
  },
]

export const floorTargets = (table: Table): Target[] => [
  {
    what: `${table.title}: throughput of MPMC between processes, as a share of ArrayQueue's between threads`,
    got: times(table, `${ARRAY_QUEUE}, yielding`, `${MPMC}, yielding`),
    atLeast: 0.5,
  },
  {
    what: `${table.title}: throughput of SPSC between processes, as a share of rtrb's between threads`,
    got: times(table, `${RTRB}, yielding`, `${SPSC}, yielding`),
    atLeast: 0.8,
  },
]
