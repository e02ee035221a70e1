import { queueKinds } from '../peers/queue-kinds.js'
import type { Payload } from '../peers/queue-messages.js'
import { carrying, startQueuePeers } from '../peers/queue-peers.js'
import type { Section, Table } from '../section.js'
import { BATCH, streams } from './queue-rows.js'
import { batchTargets } from './queue-targets.js'

const BASELINE = "process.send, 'advanced'"

/** What a message costs that is sent among others. */
export async function queueBatches(quick: boolean): Promise<Section> {
  await using started = await startQueuePeers(queueKinds())
  const peers = started.peers.filter(({ batches }) => batches)
  const table = async (title: string, payload: Payload): Promise<Table> => ({
    title,
    baseline: BASELINE,
    rows: await streams(carrying(peers, payload), payload, BATCH, quick),
  })
  const batches = await table('64 B', 64)
  const senders = peers.filter(({ name }) => name.startsWith('process.send'))
  const oneByOne: Table = {
    title: '64 B, one by one',
    baseline: BASELINE,
    rows: await streams(senders, 64, 1, quick),
  }
  return {
    id: 'queue-batches',
    title: `Messages, ${BATCH} at once`,
    intro:
      `As above, but the sender hands over ${BATCH} messages at a time, each way of sending as it is meant to: where there is ` +
      'no such call, as one message that is an array. All times are those of one of the messages.',
    tables: [batches, oneByOne, await table('A small object', 'object')],
    targets: batchTargets(batches, oneByOne),
    better: [],
    missing: started.missing,
  }
}
