import '../helpers/domain.js'
import ava from 'ava'
import { gc, list, MpmcQueue, SpscQueue } from 'crossmem'
import type { MeasuringOrders } from '../fixtures/queues/measure-messages.js'
import { hire } from '../processes/hire.js'
import { type Flow, run } from '../storm/flow.js'
import { LABEL } from '../storm/parcels.js'

const test = ava.serial
const MIB = 2 ** 20

function testFlow(title: string, flow: Flow): void {
  test(`${flow.kind}: ${flow.messages} messages, ${title}`, async t => {
    const { wrong, seconds } = await run(flow)
    t.log(`${seconds.toFixed(1)} s`)
    t.is(wrong, 0)
    // The last part is killed when all has arrived, perhaps while it closes its end.
    gc()
    t.deepEqual(list(), [])
  })
}

// `npm run soak -- --flow 10000000` is the same for longer.
for (const kind of ['MpmcQueue', 'Queue'] as const) {
  for (const [capacity, messages] of [
    [1, 4000],
    [2, 8000],
    [64, 200_000],
    [65_536, 288_000],
  ] as const) {
    testFlow(`four producers and four consumers, room for ${capacity}`, { kind, capacity, messages })
  }
}

const messageBytes = 4096
const max = messageBytes - LABEL
testFlow('as large as fit, and larger ones', {
  kind: 'MpmcQueue',
  capacity: 16,
  messages: 8000,
  messageBytes,
  fillings: [0, 1, max, max + 1],
})
testFlow('of 16 MiB', {
  kind: 'MpmcQueue',
  capacity: 2,
  messages: 16,
  fillings: [16 * MIB],
  batch: 2,
})
testFlow('of 16 MiB', { kind: 'Queue', capacity: 2, messages: 16, fillings: [16 * MIB], batch: 2 })

const ring = 65_536
testFlow('one process to another', { kind: 'SpscQueue', capacity: ring, messages: 1_000_000 })
testFlow('as large as fit', {
  kind: 'SpscQueue',
  capacity: ring,
  messages: 20_000,
  fillings: [0, 1, ring / 2 - 8 - LABEL, 1000],
})
testFlow('one process to another', { kind: 'Pipe', capacity: ring, messages: 100_000 })
testFlow('through a pipe that is smaller', {
  kind: 'Pipe',
  capacity: 4096,
  messages: 1000,
  fillings: [0, 1, 2000, 2100, 100_000],
})
testFlow('of 16 MiB', { kind: 'Pipe', capacity: ring, messages: 4, fillings: [16 * MIB], batch: 1 })

for (const Class of [MpmcQueue, SpscQueue]) {
  test(`${Class.name}: messages of no bytes, of one, and of a few`, async t => {
    const queue = Class.create(null, { capacity: 64 })
    const out = queue instanceof SpscQueue ? queue.openProducer() : queue
    const child = await hire<MeasuringOrders>('queues/measure-messages')
    const measured = child.tell({ do: 'measure', reference: queue.toJSON() })
    const small = [0, 1, 2, 7, 8, 9].map(length => new Uint8Array(length))
    const times = 2000
    for (let i = 0; i < times; i++) {
      await out.pushMany(small)
      for (const message of small) await out.push(message)
    }
    out.end()
    const each = 2 * times
    t.deepEqual(await measured, { 0: each, 1: each, 2: each, 7: each, 8: each, 9: each })
    out.close()
    queue.close()
    await child.kill()
  })
}
