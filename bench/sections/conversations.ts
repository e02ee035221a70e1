import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Effort, inTurn, type Measured, rowOf, rowsOf } from '../harness/measure.js'
import { type Section, type Table, type Target, times } from '../harness/section.js'
import { queueKinds, SEND_JSON } from '../queues/kinds.js'
import type { Pace } from '../queues/order.js'
import { type QueuePeer, usingPeers } from '../queues/peers.js'
import { CPU, P99, travelling } from './queue-rows.js'

const SPSC = 'crossmem: SpscQueue, await'
const QUEUE = 'crossmem: Queue, await'
const NAMES = [SPSC, QUEUE, SEND_JSON]
const MEDIAN = 'median'

/** Slices of many trips: one trip in a hundred is beyond the last percentile. */
const LONGER = { longer: 4, slices: 16 }

interface Traffic {
  title: string
  pace?: Pace
  /** Whether another process keeps a core busy. */
  besideBusy?: boolean
  target: typeof MEDIAN | typeof P99
  /** The most that it may be, as a share of process.send's. */
  atMost: number
}

const TRAFFIC: Traffic[] = [
  { title: 'Back to back', target: MEDIAN, atMost: 0.15 },
  { title: 'One trip per millisecond', pace: { gap: 1 }, target: MEDIAN, atMost: 0.55 },
  { title: 'Beside a busy process', besideBusy: true, target: MEDIAN, atMost: 0.55 },
  { title: 'Both ends do other work', pace: { work: 200 }, target: P99, atMost: 1 },
]

/** Awaited round trips at the paces of real programs. */
export async function conversations(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const { kinds } = queueKinds(64)
  const wanted = { kinds: kinds.filter(({ name }) => NAMES.includes(name)), missing: [] }
  return usingPeers(wanted, missing, async peers => {
    const [tables, targets]: [Table[], Target[]] = [[], []]
    for (const traffic of TRAFFIC) {
      const measured = await measure(peers, traffic, effort)
      const { title, target } = traffic
      // A target for the 99th percentile is about that figure of each slice.
      const rows = measured.map(one => rowOf(one, [], target === P99 ? 1 : 0))
      targets.push(...targetsOf({ title, baseline: SEND_JSON, rows }, traffic))
      tables.push({ title, baseline: SEND_JSON, rows: rowsOf(measured, [P99, CPU]) })
    }
    return {
      id: 'conversations',
      title: 'Awaited round trips at different paces',
      intro:
        'Round trips of 64 B between two processes, as above, but only awaited ones: back to back; with a timer of 1 ms between ' +
        'trips; beside a process that keeps a core busy; and with 200 µs of other work at each end before it answers, which is ' +
        'part of a trip. Whether the system puts the two processes on one core or on two decides most of the time of a trip; it ' +
        'may differ from row to row.',
      tables,
      targets,
      better: [],
      missing: [...missing],
    }
  })
}

async function measure(
  peers: QueuePeer[],
  { pace, besideBusy }: Traffic,
  effort: Effort,
): Promise<Measured[]> {
  const busy = besideBusy ? spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }) : undefined
  try {
    return await inTurn(travelling(peers, 64, [0.5, 0.99], pace), effort, LONGER)
  } finally {
    if (busy) {
      const gone = once(busy, 'exit')
      busy.kill()
      await gone
    }
  }
}

const targetsOf = (table: Table, { title, target, atMost }: Traffic): Target[] =>
  [SPSC, QUEUE].map(name => ({
    what: `${title}: ${target} of ${name} as a share of process.send's`,
    got: times(table, name, SEND_JSON),
    atMost,
  }))
