// The table of README.md: crossmem beside the peers that a user would choose instead, whether they
// are slower or faster.
import type { Row } from '../harness/measure.js'
import { type Ratio, ratioOf } from '../harness/statistics.js'
import type { Results } from './results.js'

/** A row of crossmem, and the fastest row of the peers that it is compared with. */
export interface Comparison {
  what: string
  ours: Row
  peer: Row
  /** The speed of crossmem as a multiple of the peer's. */
  ratio: Ratio
}

interface Wanted {
  what: string
  /** The section's `id`. */
  section: string
  /** Index of the table in the section. */
  table: number
  ours: string
  peer: RegExp
}

const SEND = /^process\.send, '(json|advanced)'$/
const PROCESSES = /, (processes|cluster)$|^multiprocess-pool|^Python .*Pool/
const THREADS = /^(?!crossmem).*, threads$/
const [BY_64, BY_64_KIB, BY_OBJECT] = [0, 2, 3]
const [PARKED, SPINNING] = [0, 1]

const WANTED: Wanted[] = [
  {
    what: 'a large array to another process',
    section: 'hand-over',
    table: 0,
    ours: 'crossmem: a reference',
    peer: /^process\.send, 'advanced'$/,
  },
  {
    what: 'small objects, awaited',
    section: 'queues',
    table: BY_OBJECT,
    ours: 'crossmem: Queue, await',
    peer: SEND,
  },
  {
    what: 'small objects, 256 at once',
    section: 'queue-batches',
    table: 1,
    ours: 'crossmem: Queue, await',
    peer: SEND,
  },
  { what: '64 B, awaited', section: 'queues', table: BY_64, ours: 'crossmem: MpmcQueue, await', peer: SEND },
  {
    what: '64 B, awaited',
    section: 'queues',
    table: BY_64,
    ours: 'crossmem: MpmcQueue, await',
    peer: /^Unix socket$/,
  },
  {
    what: '64 B, awaited',
    section: 'queues',
    table: BY_64,
    ours: 'crossmem: MpmcQueue, await',
    peer: /^ZeroMQ/,
  },
  {
    what: '64 B, awaited',
    section: 'queues',
    table: BY_64,
    ours: 'crossmem: MpmcQueue, await',
    peer: /^Redis/,
  },
  {
    what: '64 B, blocking',
    section: 'queues',
    table: BY_64,
    ours: 'crossmem: SpscQueue, sync',
    peer: /^threads: ringbuf/,
  },
  {
    what: '64 B, blocking',
    section: 'queues',
    table: BY_64,
    ours: 'crossmem: Queue, sync',
    peer: /^Python \S+: Queue$/,
  },
  {
    what: '64 KiB, awaited',
    section: 'queues',
    table: BY_64_KIB,
    ours: 'crossmem: MpmcQueue, await',
    peer: /^threads: postMessage, transferred$/,
  },
  {
    what: '64 B, 256 at once',
    section: 'queue-batches',
    table: 0,
    ours: 'crossmem: SpscQueue, try',
    peer: /^threads: ringbuf/,
  },
  {
    what: '64 B round trips, awaited',
    section: 'round-trips',
    table: PARKED,
    ours: 'crossmem: SpscQueue, await',
    peer: SEND,
  },
  {
    what: '64 B round trips, awaited',
    section: 'round-trips',
    table: PARKED,
    ours: 'crossmem: Queue, await',
    peer: SEND,
  },
  {
    what: '64 B round trips, awaited',
    section: 'round-trips',
    table: PARKED,
    ours: 'crossmem: Queue, await',
    peer: /^Unix socket$/,
  },
  {
    what: '64 B round trips, blocking',
    section: 'round-trips',
    table: PARKED,
    ours: 'crossmem: SpscQueue, sync',
    peer: /^Python \S+: Pipe$/,
  },
  {
    what: '64 B round trips, spinning',
    section: 'round-trips',
    table: SPINNING,
    ours: 'crossmem: SpscQueue, try',
    peer: /^threads: ringbuf/,
  },
  {
    what: 'an uncontended lock',
    section: 'locks',
    table: 0,
    ours: 'crossmem: lockSync(), release()',
    peer: /^proper-lockfile \S+: lockSync/,
  },
  {
    what: 'an uncontended lock',
    section: 'locks',
    table: 0,
    ours: 'crossmem: lockSync(), release()',
    peer: /^Python \S+: acquire/,
  },
  {
    what: 'waking a process that waits for a lock',
    section: 'wake-up',
    table: 0,
    ours: 'crossmem: await lock()',
    peer: /^process\.send, there and back$/,
  },
  { what: 'an empty task of a pool', section: 'pools', table: 0, ours: 'crossmem: Pool', peer: PROCESSES },
  { what: 'an empty task of a pool', section: 'pools', table: 0, ours: 'crossmem: Pool', peer: THREADS },
  { what: 'squares of a million numbers', section: 'pools', table: 1, ours: 'crossmem: Pool', peer: THREADS },
  {
    what: 'a task with 64 MiB in and out',
    section: 'pools',
    table: 2,
    ours: 'crossmem: Pool',
    peer: PROCESSES,
  },
  {
    what: 'four workers of a pool, ready',
    section: 'pools',
    table: 3,
    ours: 'crossmem: Pool',
    peer: PROCESSES,
  },
  { what: 'a segment created, opened, closed', section: 'life', table: 0, ours: 'crossmem', peer: /^Python/ },
  {
    what: '64 B in Rust, one to one',
    section: 'queue-floor',
    table: 1,
    ours: 'crossmem: SPSC between processes, yielding',
    peer: /^Rust threads: rtrb/,
  },
  {
    what: '64 B in Rust, many to many',
    section: 'queue-floor',
    table: 1,
    ours: 'crossmem: MPMC between processes, yielding',
    peer: /^Rust threads: ArrayQueue/,
  },
]

/** The comparisons whose peer this machine has. */
export function comparisons({ sections }: Results): Comparison[] {
  return WANTED.flatMap(({ what, section, table, ours, peer }) => {
    const rows = sections.find(({ id }) => id === section)?.tables[table]?.rows ?? []
    const own = rows.find(({ name }) => name === ours)
    const fastest = rows.filter(({ name }) => peer.test(name)).sort((a, b) => a.median - b.median)[0]
    if (!own || !fastest) return []
    return [{ what, ours: own, peer: fastest, ratio: ratioOf(fastest.slices, own.slices) }]
  })
}
