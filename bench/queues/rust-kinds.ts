import { buildExample } from '../harness/cargo.js'
import type { QueueKinds } from './peers.js'

/** Queues in Rust, for messages of 8 or 64 bytes: crates/core/examples/queue_peers. */
export function rustKinds(): QueueKinds {
  if (process.platform === 'win32')
    return { kinds: [], missing: ['queues between Rust threads: CPU time is measured on Unix only'] }
  const path = buildExample('crossmem-core', 'queue_peers')
  const kind = (queue: string, name: string, does: string, pause: 'spin' | 'yield') => ({
    name: `${name}, ${pause === 'spin' ? 'spinning' : 'yielding'}`,
    does: `${does}; an end that must wait ${pause === 'spin' ? 'spins' : 'yields its core'}`,
    program: [path, queue, pause],
    batches: false,
    waits: 'spinning' as const,
  })
  const rtrb = 'a RingBuffer of 1,024 messages between two threads: push(), pop()'
  const spsc =
    'a channel with a ring of 128 KiB between two processes: Producer, Consumer: try_push(), try_pop()'
  const mpmc = 'a queue of 1,024 messages between two processes: Participant: try_push(), try_pop()'
  const arrayQueue = "crossbeam's ArrayQueue of 1,024 messages between two threads: push(), pop()"
  return {
    kinds: (['spin', 'yield'] as const).flatMap(pause => [
      kind('rtrb', RTRB, rtrb, pause),
      kind('array-queue', ARRAY_QUEUE, arrayQueue, pause),
      kind('spsc', SPSC, spsc, pause),
      kind('mpmc', MPMC, mpmc, pause),
    ]),
    missing: [],
  }
}

export const RTRB = 'Rust threads: rtrb'
export const ARRAY_QUEUE = 'Rust threads: ArrayQueue'
export const SPSC = 'crossmem: SPSC between processes'
export const MPMC = 'crossmem: MPMC between processes'
