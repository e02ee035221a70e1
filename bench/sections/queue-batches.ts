import { type Effort, inTurn, rowsOf } from '../harness/measure.js'
import type { Section, Table } from '../harness/section.js'
import { queueKinds, SEND_ADVANCED } from '../queues/kinds.js'
import type { Payload } from '../queues/messages.js'
import { usingPeers } from '../queues/peers.js'
import { BATCH, CPU, streaming } from './queue-rows.js'
import { batchTargets, oneByOne } from './queue-targets.js'

/** The cost of a message that is sent in a batch. */
export async function queueBatches(effort: Effort): Promise<Section> {
  const missing = new Set<string>()
  const table = (title: string, payload: Payload): Promise<Table> =>
    usingPeers(queueKinds(payload), missing, async peers => {
      const inBatches = streaming(
        peers.filter(({ batches }) => batches),
        payload,
        BATCH,
      )
      const sends = peers.filter(({ name }) => name.startsWith('process.send'))
      const single = streaming(sends, payload, 1).map(one => ({ ...one, name: oneByOne(one.name) }))
      const rows = rowsOf(await inTurn([...inBatches, ...single], effort), [CPU])
      return { title, baseline: SEND_ADVANCED, rows }
    })
  const bytes = await table('64 B', 64)
  const objects = await table('A small object', 'object')
  return {
    id: 'queue-batches',
    title: `Messages, ${BATCH} at once`,
    intro:
      `As above, but the sender sends ${BATCH} messages at a time, by the call that each peer has for several messages, or as one ` +
      'message that is an array if there is no such call. All times are per message. Beside them is process.send one by one.',
    tables: [bytes, objects],
    targets: batchTargets(bytes, objects),
    better: [],
    missing: [...missing],
  }
}
