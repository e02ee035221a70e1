import { type Effort, inTurn, rowOf } from '../harness/measure.js'
import { type Line, pointOf, type Section } from '../harness/section.js'
import { SEND_JSON } from '../queues/kinds.js'
import { type QueuePeer, usingPeers } from '../queues/peers.js'
import type { LineOf } from './lines.js'
import { drawn, SEND } from './queue-lines.js'
import { travelling } from './queue-rows.js'

const SIZE = 64
/** One trip in a thousand is beyond the last share, so a slice needs many trips. */
const LONGER = { longer: 6, slices: 20 }
const SHARES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999]

const LINES: LineOf[] = [
  { names: /^crossmem: SpscQueue, sync$/ },
  { names: /^crossmem: SpscQueue, await$/ },
  { names: /^crossmem: Queue, sync$/ },
  { names: /^crossmem: Queue, await$/ },
  { names: SEND.names },
  { names: /^threads: postMessage, copied$/ },
  { names: /^Unix socket$/ },
  { names: /^ZeroMQ/ },
  { names: /^Redis/ },
  { names: /^Python \S+: Pipe$/ },
]

/** How the times of round trips are distributed. */
export async function latency(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const lines = await usingPeers(drawn(SIZE, LINES), missing, peers => distributions(peers, effort))
  return {
    id: 'latency',
    title: 'Times of round trips',
    intro:
      `As above, round trips of a message of ${SIZE} B between two processes, or between two threads where the name says so. An end ` +
      'that waits is parked; a blocking call spins briefly first. The lines show the time within which a share of the trips is ' +
      'complete: each point is the median of slices of many trips. Where more processes want to run than there are cores, ' +
      "the longest trips depend on the system's scheduler.",
    tables: [],
    curves: [
      {
        id: 'latency',
        title: `Round trips of ${SIZE} B: the time within which a share of the trips is complete`,
        x: { title: 'share of the trips', unit: 'share' },
        y: { title: 'time', unit: 'nanoseconds' },
        baseline: SEND_JSON,
        lines,
      },
    ],
    targets: [],
    better: [],
    missing: [...missing],
  }
}

async function distributions(peers: QueuePeer[], effort: Effort): Promise<Line[]> {
  const measured = await inTurn(travelling(peers, SIZE, SHARES), effort, LONGER)
  return measured.map(one => ({
    name: one.name,
    does: one.does,
    points: SHARES.map((share, i) => pointOf(share, rowOf(one, [], i).slices)),
  }))
}
