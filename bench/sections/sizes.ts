import { mebibytes } from '../harness/format.js'
import type { Effort, Row } from '../harness/measure.js'
import type { Section } from '../harness/section.js'
import { usingPeers } from '../queues/peers.js'
import { type LineOf, linesThrough } from './lines.js'
import { drawn, POST, SEND } from './queue-lines.js'
import { streams } from './queue-rows.js'

const LARGEST = 1 << 20
/** Queues for messages of up to 1 KiB are alike, so one start of all peers serves these sizes. */
const SIZES = [[16, 64, 256, 1024], [4096], [16_384], [65_536], [LARGEST]]

const LINES: LineOf[] = [
  { names: /^crossmem: SpscQueue, sync$/ },
  { names: /^crossmem: SpscQueue, await$/ },
  { names: /^crossmem: MpmcQueue, await$/ },
  { names: /^crossmem: Queue, await$/ },
  { names: /^crossmem: Pipe, await$/ },
  SEND,
  POST,
  { names: /^threads: ringbuf/ },
  { names: /^Unix socket$/ },
  { names: /^ZeroMQ/ },
  { names: /^Redis/ },
  { names: /^Python \S+: Queue$/ },
  { names: /^Python \S+: Pipe$/ },
]

/** How the size of messages affects the throughput. */
export async function sizes(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const at: { x: number; rows: Row[] }[] = []
  for (const sizes of effort.quick ? [[16], [LARGEST]] : SIZES) {
    await usingPeers(drawn(Math.max(...sizes), LINES), missing, async peers => {
      for (const size of sizes) at.push({ x: size, rows: await streams(peers, size, effort) })
    })
  }
  return {
    id: 'sizes',
    title: 'Throughput by size of message',
    intro:
      'As above, messages of bytes one by one, of each size in turn, between two processes, or between two threads where the name ' +
      `says so. Each message is copied in and copied out, except those that postMessage transfers. With ${mebibytes(LARGEST)} per message, ` +
      'most of the time is copying: a reference to shared memory, as in “Handing over”, has no such limit.',
    tables: [],
    curves: [
      {
        id: 'sizes',
        title: 'Throughput by size of message',
        x: { title: 'size of a message', unit: 'bytes' },
        y: { title: 'bytes a second', unit: 'bytes a second' },
        baseline: SEND.name,
        lines: linesThrough(LINES, at, (size, ns) => (size / ns) * 1e9),
      },
    ],
    targets: [],
    better: [
      'postMessage, transferred: a large message costs no more than a small one, since nothing is copied; only for threads of one process.',
      'Unix socket: unread bytes are buffered in memory of the kernel and of Node, so there is no capacity to choose.',
    ],
    missing: [...missing],
  }
}
