// Messages larger than `messageBytes`: as many as the queue has room for, whatever becomes of the
// queue's name and of processes.
import '../helpers/domain.js'
import ava from 'ava'
import { list, MpmcQueue, Queue, SharedMemory } from 'crossmem'
import { range, spilledBytes } from '../contracts/queue-class.js'
import { unique } from '../helpers/domain.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial
const LENGTH = 3000
const numbered = (i: number, length = LENGTH): Uint8Array => new Uint8Array(length).fill(i % 256)

for (const place of places) {
  test(`a queue holds as many large messages as its capacity, and they are no objects: ${place}`, async t => {
    const capacity = 10_000
    const queue = MpmcQueue.create(unique('many'), { capacity })
    for (const i of range(capacity)) t.true(queue.tryPush(numbered(i)), `message ${i}`)
    t.false(queue.tryPush(numbered(0)), 'it is full')
    t.is(list().length, 1)
    t.true((list()[0]?.byteLength as number) > capacity * (2048 + LENGTH))
    for (const _ of range(10)) SharedMemory.create(null, 1).close()
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    t.true(await there.it('deeds').do('areWhole', far, capacity, LENGTH))
    t.true(queue.isEmpty)
    // The reader may have kept memory for further messages.
    await far.do('close')
    t.is(spilledBytes(), 0)
    queue.close()
  })

  test(`large messages in a queue that was unlinked reach those that have it open: ${place}`, async t => {
    const queue = MpmcQueue.create(unique('unlinked'), { capacity: 8, messageBytes: 16 })
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    for (const i of range(3)) queue.pushSync(numbered(i))
    queue.unlink()
    t.is(list().length, 0)
    for (const i of range(3, 3)) queue.pushSync(numbered(i, LENGTH))
    t.true(await there.it('deeds').do('areWhole', far, 3, LENGTH))
    queue.close()
    t.deepEqual(await far.do('pop'), numbered(3))
    t.deepEqual(await far.do('popSync'), numbered(4))
    await far.do('push', numbered(6))
    t.deepEqual(await far.do('popMany', 2), [numbered(5), numbered(6)])
  })

  test(`a large value that a killed ${place} had received comes whole to the next, marked`, async t => {
    using queue = Queue.create<string>(null, { capacity: 4, redeliver: true })
    const text = 'x'.repeat(3 << 20)
    const doomed = await startPeer(t, place)
    const far = await doomed.open(queue)
    queue.putSync(text)
    await far.take('receive')
    await doomed.kill()
    const again = await queue.receive()
    t.true(again.redelivered)
    t.true(again.value === text)
    again.release()
    t.is(spilledBytes(), 0)
  })
}
