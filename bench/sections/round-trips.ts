import { queueKinds } from '../peers/queue-kinds.js'
import type { Payload } from '../peers/queue-messages.js'
import { carrying, startQueuePeers } from '../peers/queue-peers.js'
import { queueThreads } from '../peers/queue-threads.js'
import type { Section, Table } from '../section.js'
import { trips } from './queue-rows.js'
import { tripTargets } from './queue-targets.js'

/** How soon an answer is here. */
export async function roundTrips(quick: boolean): Promise<Section> {
  const [kinds, threads] = [queueKinds(), queueThreads()]
  await using started = await startQueuePeers({
    kinds: [...kinds.kinds, ...threads.kinds],
    missing: [...kinds.missing, ...threads.missing],
  })
  const { peers, missing } = started
  const table = async (title: string, payload: Payload, waits: 'parked' | 'spinning'): Promise<Table> => {
    const rows = await trips(
      carrying(peers, payload).filter(peer => peer.waits === waits),
      payload,
      quick,
    )
    return { title: `${title}, ${waits}`, baseline: rows[0]?.name as string, rows }
  }
  const parked = await table('64 B', 64, 'parked')
  return {
    id: 'round-trips',
    title: 'A message there and back',
    intro:
      'One of two processes, or threads, sends a message and waits for it to come back, again and again; the other one sends ' +
      'back what comes. A sample is the median of many trips in a row, and “99 of 100 within” is theirs, too; CPU time is that ' +
      'of all who take part, per trip, on average. Who is parked leaves its core to others while it waits; who spins looks again and again.',
    tables: [
      parked,
      await table('1 KiB', 1024, 'parked'),
      await table('64 KiB', 65_536, 'parked'),
      await table('A small object', 'object', 'parked'),
      await table('64 B', 64, 'spinning'),
      await table('1 KiB', 1024, 'spinning'),
      await table('64 KiB', 65_536, 'spinning'),
    ],
    targets: tripTargets(parked),
    better: [],
    missing,
  }
}
