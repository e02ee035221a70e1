import type { Effort } from '../harness/measure.js'
import type { Section, Table } from '../harness/section.js'
import { queueKinds, SEND_ADVANCED } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import { usingPeers } from '../queues/peers.js'
import { streams } from './queue-rows.js'
import { queueTargets } from './queue-targets.js'

/** The cost of a message that is sent by itself. */
export async function queues(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const table = async (title: string, payload: Payload): Promise<Table> => ({
    title,
    baseline: SEND_ADVANCED,
    rows: await usingPeers(queueKinds(payload), missing, peers => streams(peers, payload, effort)),
  })
  const bytes = await table('64 B', 64)
  const objects = await table('A small object', 'object')
  return {
    id: 'queues',
    title: 'Messages, one by one',
    intro:
      'One process, or thread, sends messages as fast as it can. The other one checks that each message is whole and in order. The ' +
      'clock starts just before the first message is made, and stops when the last one has been checked. CPU time is that of all ' +
      'processes that take part, per message. A small object has five members, among them an array of two strings.',
    tables: effort.quick
      ? [bytes, objects]
      : [bytes, await table('1 KiB', 1024), await table('64 KiB', 65_536), objects],
    targets: queueTargets(bytes, objects),
    better: [
      'process.send, postMessage, Unix socket: unread messages are buffered as long as there is memory, so there is no capacity ' +
        'to choose.',
      'postMessage: it carries all that the structured clone algorithm knows, also ports and file handles, and transfers large ' +
        'buffers without a copy; only for threads of one process.',
      'ringbuf.js: it is plain JavaScript, and works in browsers; only for threads of one process, and both ends spin.',
      'Unix socket, ZeroMQ, Redis: the other end may be in any language, and with ZeroMQ (tcp://) and Redis on another machine. ' +
        'Messages in a Redis list outlive both ends.',
    ],
    missing: [...missing, ...NOT_TAKEN],
  }
}

const NOT_TAKEN = [
  'iceoryx2, Boost.Interprocess: shared memory for Rust and C++; they have no bindings for Node.',
  'shm-typed-array, mmap-io: they share memory only, without messages or locks.',
  'node-ipc: its current version needs a newer Node than the oldest that crossmem supports.',
]
