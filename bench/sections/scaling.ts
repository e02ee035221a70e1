import { availableParallelism } from 'node:os'
import type { Effort } from '../harness/measure.js'
import type { Section } from '../harness/section.js'
import { usingPeers } from '../queues/peers.js'
import { type LineOf, linesThrough } from './lines.js'
import { drawn, SEND } from './queue-lines.js'
import { gathered } from './queue-rows.js'

const SIZE = 64

const LINES: LineOf[] = [
  { names: /^crossmem: MpmcQueue, sync$/ },
  { names: /^crossmem: MpmcQueue, await$/ },
  { names: /^crossmem: Queue, sync$/ },
  { names: /^crossmem: Queue, await$/ },
  SEND,
  { names: /^Unix socket$/ },
  { names: /^ZeroMQ/ },
  { names: /^Redis/ },
  { names: /^Python \S+: Queue$/ },
  { names: /^Python: faster-fifo/ },
]

/** How the number of senders affects the throughput of one receiver. */
export async function scaling(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const at = []
  for (const senders of effort.quick ? [1, 2] : [1, 2, 4, 8]) {
    const rows = await usingPeers(drawn(SIZE, LINES, senders), missing, peers =>
      gathered(peers, SIZE, effort),
    )
    at.push({ x: senders, rows })
  }
  return {
    id: 'scaling',
    title: 'Many senders, one receiver',
    intro:
      `Several processes send messages of ${SIZE} B one by one, each as fast as it can. One process receives all messages and checks ` +
      `that those of each sender are in order. This machine has ${availableParallelism()} cores: more processes than cores can't be ` +
      'faster, so there the plot shows how much they slow each other down.',
    tables: [],
    curves: [
      {
        id: 'scaling',
        title: 'Messages that one process receives, by number of senders',
        x: { title: 'sending processes', unit: 'number' },
        y: { title: 'messages a second', unit: 'a second' },
        baseline: SEND.name,
        lines: linesThrough(LINES, at, (_, ns) => 1e9 / ns),
      },
    ],
    targets: [],
    better: [
      'process.send, Unix socket, ZeroMQ: every sender has a connection of its own, so the receiver knows the sender of each message, and learns when a sender has gone.',
      'Redis: senders and receivers may come and go, also on other machines, while the list remains.',
    ],
    missing: [...missing],
  }
}
