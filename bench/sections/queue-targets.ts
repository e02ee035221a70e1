// What the sections about queues promise; each goes into its section as `targets: …Targets(tables)`, once crossmem's rows
// are there. Names as in queue-kinds.ts.
import { row, type Table, type Target, times } from '../section.js'

const JSON_SEND = "process.send, 'json'"
const SENDS = [JSON_SEND, "process.send, 'advanced'"]

/** The peer that is hardest to beat. */
const fastest = (table: Table, names: string[]): string =>
  names.reduce((best, name) => (times(table, best, name) > 1 ? name : best))

const ours = (table: Table): string =>
  fastest(
    table,
    table.rows.map(({ name }) => name).filter(name => name.startsWith('crossmem')),
  )

const startingWith = (table: Table, start: string): string =>
  table.rows.find(({ name }) => name.startsWith(start))?.name as string

/** queues.ts, with the tables of 64 B and of objects. */
export const queueTargets = (bytes: Table, objects: Table): Target[] => [
  {
    what: "small objects, one by one: times the throughput of process.send, the faster of 'json' and 'advanced'",
    got: times(objects, fastest(objects, SENDS), startingWith(objects, 'crossmem: Queue, await')),
    atLeast: 8,
  },
  {
    what: '64 B, one by one: times the throughput of process.send',
    got: times(bytes, fastest(bytes, SENDS), ours(bytes)),
    atLeast: 20,
  },
  {
    what: '64 B, one by one: times the throughput of ringbuf.js between threads',
    got: times(bytes, startingWith(bytes, 'threads: ringbuf.js'), ours(bytes)),
    atLeast: 1,
  },
]

/** queue-batches.ts. process.send has no call for a batch: it is compared as it sends one by one, in queues.ts. */
export const batchTargets = (batches: Table, oneByOne: Table): Target[] => [
  {
    what: '64 B, in batches: times the throughput of process.send, one by one',
    got: row(oneByOne, fastest(oneByOne, SENDS)).median / row(batches, ours(batches)).median,
    atLeast: 100,
  },
]

/** round-trips.ts, with the parked table of 64 B. */
export const tripTargets = (parked: Table): Target[] => [
  {
    what: "64 B there and back, parked: share of process.send's time",
    got: times(parked, ours(parked), fastest(parked, SENDS)),
    atMost: 1 / 3,
  },
]

/** queue-floor.ts: for each of 8 B and 64 B. */
export const floorTargets = (table: Table): Target[] => [
  {
    what: `${table.title}: throughput of MPMC between processes, as a share of ArrayQueue's between threads`,
    got: times(table, 'Rust threads: ArrayQueue, spinning', 'crossmem: MPMC between processes, spinning'),
    atLeast: 0.5,
  },
  {
    what: `${table.title}: throughput of SPSC between processes, as a share of rtrb's between threads`,
    got: times(table, 'Rust threads: rtrb, spinning', 'crossmem: SPSC between processes, spinning'),
    atLeast: 0.8,
  },
]
