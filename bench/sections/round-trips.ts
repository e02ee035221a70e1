import type { Effort } from '../harness/measure.js'
import type { Section, Table } from '../harness/section.js'
import { queueKinds } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import { type QueuePeer, usingPeers } from '../queues/peers.js'
import { rustKinds } from '../queues/rust-kinds.js'
import { trips } from './queue-rows.js'
import { tripTargets } from './queue-targets.js'

/** The time of a message to the other end and back. */
export async function roundTrips(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const tables = (title: string, payload: Payload): Promise<Table[]> => {
    const [kinds, threads] = [queueKinds(payload), payload === 64 ? rustKinds() : NONE]
    const all = { kinds: [...kinds.kinds, ...threads.kinds], missing: [...kinds.missing, ...threads.missing] }
    return usingPeers(all, missing, async peers => {
      const parked = await table(`${title}, parked`, peers, payload, 'parked', effort)
      const spinning = await table(`${title}, spinning`, peers, payload, 'spinning', effort)
      return [parked, spinning].filter(({ rows }) => rows.length > 0)
    })
  }
  const small = await tables('64 B', 64)
  return {
    id: 'round-trips',
    title: 'Round trips',
    intro:
      'One of two processes, or threads, sends a message and waits until it comes back; the other one sends back each message. A ' +
      'slice is the median of many trips in a row, and the 99th percentile is that of the same trips. CPU time is that of all ' +
      'processes that take part, per trip, on average. A parked end leaves its core to others while it waits; a spinning end ' +
      'retries in a loop.',
    tables: [
      ...small,
      ...(effort.quick ? [] : await tables('1 KiB', 1024)),
      ...(effort.quick ? [] : await tables('64 KiB', 65_536)),
      ...(await tables('A small object', 'object')),
    ],
    targets: tripTargets(small[0] as Table),
    better: [],
    missing: [...missing],
  }
}

const NONE = { kinds: [], missing: [] }

async function table(
  title: string,
  peers: QueuePeer[],
  payload: Payload,
  waits: QueuePeer['waits'],
  effort: Effort,
): Promise<Table> {
  const rows = await trips(
    peers.filter(peer => peer.waits === waits),
    payload,
    effort,
  )
  return { title, baseline: rows[0]?.name ?? '', rows }
}
