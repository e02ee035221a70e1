import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { list } from 'crossmem'
import { draw } from '../histories/drawing.js'
import { Recorder } from '../histories/histories.js'
import { isQueueHistory } from '../histories/queue-model.js'
import type { QueueKind } from '../histories/small-queues.js'

const test = process.platform === 'win32' ? ava.skip : ava.serial

interface Found {
  histories: number
  deaths: number
  /** Calls that never returned. */
  pending: number
  /** The first history that isn't linearizable. */
  impossible?: string
}

async function record(t: ExecutionContext, kind: QueueKind, histories: number): Promise<Found> {
  const recorder = new Recorder(kind)
  t.teardown(() => recorder.close())
  const found: Found = { histories: 0, deaths: 0, pending: 0 }
  while (found.histories < histories && !found.impossible) {
    const { capacity, history, deaths } = await recorder.record(found.histories++)
    found.deaths += deaths
    found.pending += history.filter(({ returned }) => returned === Infinity).length
    const redeliver = kind === 'redelivering'
    if (!isQueueHistory(history, { capacity, redeliver })) {
      found.impossible = `capacity ${capacity}\n${draw(history)}`
    }
  }
  t.log(`${found.histories} histories, ${found.deaths} killed, ${found.pending} of them inside a call`)
  return found
}

for (const [kind, histories] of [
  ['locked', 500],
  ['mpmc', 2000],
  ['redelivering', 2000],
] as const) {
  test(`${histories} histories of a queue, deaths included, are linearizable: ${kind}`, async t => {
    const { impossible, deaths } = await record(t, kind, histories)
    t.is(impossible, undefined, impossible)
    t.true(deaths > 0)
    t.deepEqual(
      list().map(({ kind }) => kind),
      ['SharedArray'],
      'only the notes are left',
    )
  })
}

test("a queue that isn't atomic is detected", async t => {
  const { impossible } = await record(t, 'racy', 500)
  t.log(impossible)
  t.truthy(impossible)
})
