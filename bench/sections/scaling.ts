import { availableParallelism } from 'node:os'
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
export async function scaling(quick: boolean): Promise<Section> {
  const missing = new Set<string>()
  const at = []
  for (const senders of quick ? [1, 2] : [1, 2, 4, 8]) {
    const rows = await usingPeers(drawn(SIZE, LINES, senders), missing, peers => gathered(peers, SIZE, quick))
    at.push({ x: senders, rows })
  }
  return {
    id: 'scaling',
    title: 'Many who send, one who receives',
    intro:
      `So many processes send messages of ${SIZE} B one by one, each as fast as it can, and one process receives all of them and ` +
      `looks whether those of each sender are in order. This machine has ${availableParallelism()} cores: with more processes than ` +
      'that nobody can be faster, and what is to be seen is what it costs that they get into each other’s way.',
    tables: [],
    curves: [
      {
        id: 'scaling',
        title: 'Messages that one process receives from so many others',
        x: { title: 'processes that send', unit: 'number' },
        y: { title: 'messages a second', unit: 'a second' },
        baseline: SEND.name,
        lines: linesThrough(LINES, at, (_, { median }) => 1e9 / median),
      },
    ],
    targets: [],
    better: [
      'process.send, Unix socket, ZeroMQ: every sender has a connection of its own, so the receiver knows who sent what, and is told when one has gone.',
      'Redis: senders and receivers come and go, also on other machines, and the list is still there.',
    ],
    missing: [...missing],
  }
}
