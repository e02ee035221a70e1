import type { Section, Table } from '../harness/section.js'
import { queueKinds, SEND_ADVANCED } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import { usingPeers } from '../queues/peers.js'
import { streams } from './queue-rows.js'
import { queueTargets } from './queue-targets.js'

/** The cost of a message that is sent by itself. */
export async function queues(quick: boolean): Promise<Section> {
  const missing = new Set<string>()
  const table = async (title: string, payload: Payload): Promise<Table> => ({
    title,
    baseline: SEND_ADVANCED,
    rows: await usingPeers(queueKinds(payload), missing, peers => streams(peers, payload, 1, quick)),
  })
  const bytes = await table('64 B', 64)
  const objects = await table('A small object', 'object')
  return {
    id: 'queues',
    title: 'Messages, one by one',
    intro:
      'One process, or thread, sends messages as fast as it can; the other one looks whether each is whole and in its turn. The ' +
      'clock runs from just before the first is made until the last was looked at. CPU time is that of all who take part, per ' +
      'message. A small object has five members, among them an array of two strings.',
    tables: quick
      ? [bytes, objects]
      : [bytes, await table('1 KiB', 1024), await table('64 KiB', 65_536), objects],
    targets: queueTargets(bytes, objects),
    better: [
      'process.send, postMessage, Unix socket: what the receiver has no time for is kept, as long as there is memory; nobody ' +
        'chooses a capacity.',
      'postMessage: carries every structured clone, ports and files too, and large buffers without a copy; only for threads of one process.',
      'ringbuf.js: plain JavaScript, and works in browsers; only for threads of one process, and both ends spin.',
      'Unix socket, ZeroMQ, Redis: the other one may be of any language, with ZeroMQ (tcp://) and Redis on another machine; what is in a Redis list outlives both.',
    ],
    missing: [...missing, ...NOT_TAKEN],
  }
}

const NOT_TAKEN = [
  'iceoryx2, Boost.Interprocess: shared memory for Rust and C++; they have no bindings for Node.',
  'shm-typed-array, mmap-io: memory only, without messages or locks.',
  'node-ipc: its current version needs a later Node than the oldest one that crossmem runs on.',
]
