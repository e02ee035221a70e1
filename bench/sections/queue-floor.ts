import type { Effort } from '../harness/measure.js'
import type { Section, Table } from '../harness/section.js'
import { startQueuePeers } from '../queues/peers.js'
import { RTRB, rustKinds } from '../queues/rust-kinds.js'
import { streams } from './queue-rows.js'
import { floorTargets } from './queue-targets.js'

/** The cost of a message in Rust, without any JavaScript. */
export async function queueFloor(effort: Effort): Promise<Section> {
  await using started = await startQueuePeers(rustKinds())
  const { peers, missing } = started
  const table = async (title: string, size: number): Promise<Table> => ({
    title,
    baseline: `${RTRB}, spinning`,
    rows: await streams(peers, size, effort),
  })
  const tables = peers.length === 0 ? [] : [await table('8 B', 8), await table('64 B', 64)]
  return {
    id: 'queue-floor',
    title: 'Messages in Rust, one by one',
    intro:
      'The floor: queues that connect only threads of one process, and that need not survive the death of a process, beside ' +
      'crossmem between two processes. The receiver checks that all messages arrive in order.',
    tables,
    targets: tables.flatMap(floorTargets),
    better: [
      'rtrb, ArrayQueue: they carry any Rust value, with its destructor; only for threads of one process.',
    ],
    missing,
  }
}
