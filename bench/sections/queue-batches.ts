import type { Section, Table } from '../harness/section.js'
import { queueKinds, SEND_ADVANCED } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import { usingPeers } from '../queues/peers.js'
import { BATCH, streams } from './queue-rows.js'
import { batchTargets } from './queue-targets.js'

/** The cost of a message that is sent in a batch. */
export async function queueBatches(quick: boolean): Promise<Section> {
  const missing = new Set<string>()
  const table = async (title: string, payload: Payload, batch = BATCH, only = ''): Promise<Table> => ({
    title,
    baseline: SEND_ADVANCED,
    rows: await usingPeers(queueKinds(payload), missing, peers =>
      streams(
        peers.filter(({ name, batches }) => batches && name.startsWith(only)),
        payload,
        batch,
        quick,
      ),
    ),
  })
  const batches = await table('64 B', 64)
  const oneByOne = await table('64 B, one by one', 64, 1, 'process.send')
  return {
    id: 'queue-batches',
    title: `Messages, ${BATCH} at once`,
    intro:
      `As above, but the sender sends ${BATCH} messages at a time, by the call that each peer has for several messages, or as one ` +
      'message that is an array if there is no such call. All times are per message.',
    tables: [batches, oneByOne, await table('A small object', 'object')],
    targets: batchTargets(batches, oneByOne),
    better: [],
    missing: [...missing],
  }
}
