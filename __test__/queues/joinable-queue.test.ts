import '../helpers/domain.js'
import ava from 'ava'
import { JoinableQueue } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { testQueue } from '../contracts/queue.js'
import { type AnyQueue, badAsyncWaits, badWaits, range, spilledBytes } from '../contracts/queue-class.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  JoinableQueue,
  [],
  [
    queue => queue.put(1),
    queue => queue.get(),
    queue => queue.getSync(),
    queue => queue.tryGet(),
    queue => queue.getMany(1),
    queue => queue.getManySync(1),
    queue => queue.tryGetMany(1),
    queue => queue.taskDone(),
    queue => queue.join(),
    queue => queue.joinSync(),
    queue => queue.unfinished,
    queue => queue.failed,
    queue => queue[Symbol.asyncIterator]().next(),
  ],
)

testQueue({
  kind: 'JoinableQueue',
  create: options => JoinableQueue.create(null, options) as unknown as AnyQueue,
  put: 'put',
  get: 'get',
  item: i => i,
  done: queue => (queue as unknown as JoinableQueue).taskDone(),
})

test('joining waits until every task is done, whatever way it was taken', async t => {
  using queue = JoinableQueue.create<number>(null)
  queue.joinSync()
  await queue.join()
  queue.putManySync(range(8))
  t.deepEqual([queue.unfinished, queue.failed], [8, 0])
  const joining = queue.join()
  t.deepEqual(
    [await queue.get(), queue.getSync(), queue.tryGet(), await queue.getMany(2), queue.getManySync(1)],
    [0, 1, 2, [3, 4], [5]],
  )
  t.deepEqual([queue.size, queue.unfinished], [2, 8])
  t.throws(() => queue.joinSync({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(queue.join({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(queue.join({ signal: AbortSignal.abort() }), { any: true, name: 'AbortError' })
  for (const _ of range(6)) queue.taskDone()
  t.is(queue.unfinished, 2)
  t.throws(() => queue.taskDone(), { code: 'ERR_LOST_OWNERSHIP', message: /more often/ })
  const message = queue.receiveSync()
  message.release()
  t.throws(() => queue.taskDone(), { code: 'ERR_LOST_OWNERSHIP' }, 'it was done with already')
  t.true(await isPending(joining))
  t.deepEqual(queue.tryGetMany(9), [7])
  queue.taskDone()
  await joining
  queue.joinSync()
  t.deepEqual([queue.unfinished, queue.failed, queue.size], [0, 0, 0])
  for (const wait of badAsyncWaits as never[]) {
    await t.throwsAsync(queue.join(wait), { code: 'ERR_INVALID_ARG' })
  }
  for (const wait of badWaits as never[]) t.throws(() => queue.joinSync(wait), { code: 'ERR_INVALID_ARG' })
})

test('tasks are done by the handle that took them, the oldest first', t => {
  using queue = JoinableQueue.create<number>(null, { capacity: 2 })
  using other = JoinableQueue.open<number>(queue.name)
  queue.putManySync([1, 2])
  t.is(other.getSync(), 1)
  t.throws(() => queue.taskDone(), { code: 'ERR_LOST_OWNERSHIP' })
  t.is(queue.getSync(), 2)
  t.false(queue.tryPut(3), 'a task in work has its place')
  other.taskDone()
  t.true(queue.tryPut(3))
  queue.taskDone()
  t.is(queue.unfinished, 1)
})

test('a loop takes tasks, which are done as its body says', async t => {
  using queue = JoinableQueue.create<number>(null)
  queue.putManySync(range(3))
  queue.end()
  for await (const _ of queue) t.is(queue.unfinished, 3)
  t.is(queue.unfinished, 3)
  for (const _ of range(3)) queue.taskDone()
  await queue.join()
  t.is(queue.unfinished, 0)
})

for (const place of places) {
  for (const how of ['join', 'joinSync']) {
    test(`join() in another agent waits for workers here: ${how}, ${place}`, async t => {
      using queue = JoinableQueue.create<number>(null)
      const there = await startPeer(t, place)
      const far = await there.open(queue)
      await far.do(how)
      queue.putManySync([1, 2])
      const joining = await far.begin(how)
      queue.getSync()
      queue.taskDone()
      t.true(await isPending(joining.result))
      queue.getSync()
      queue.taskDone()
      await joining.result
      queue.putSync(3)
      const inVain = await far.begin(how)
      queue.unlink()
      await t.throwsAsync(inVain.result, { code: 'ERR_NOT_FOUND' })
    })
  }

  for (const how of ['get', 'receive']) {
    test(`a task fails with its worker, and is waited for no longer: ${how}, ${place}`, async t => {
      using queue = JoinableQueue.create<string>(null, { messageBytes: 8 })
      const [doomed, worker] = [await startPeer(t, place), await startPeer(t, place)]
      const [far, other] = [await doomed.open(queue), await worker.open(queue)]
      queue.putManySync(['one', 'one that is larger', 'three'])
      await far.do(how)
      await far.do(how)
      await other.do('get')
      const joining = queue.join()
      await other.do('taskDone')
      t.true(await isPending(joining))
      await doomed.kill()
      await joining
      t.deepEqual([queue.unfinished, queue.failed, spilledBytes()], [0, 2, 0])
      queue.joinSync()
    })
  }

  test(`with redeliver, a task goes from a killed worker to the next: ${place}`, async t => {
    using queue = JoinableQueue.create<string>(null, { redeliver: true })
    const [doomed, worker] = [await startPeer(t, place), await startPeer(t, place)]
    const [far, other] = [await doomed.open(queue), await worker.open(queue)]
    queue.putManySync(['one', 'two'])
    await far.do('get')
    const joining = queue.join()
    t.is(await other.do('get'), 'two')
    const next = await other.begin('get')
    await doomed.kill()
    t.is(await next.result, 'one')
    await other.do('taskDone')
    t.true(await isPending(joining))
    await other.do('taskDone')
    await joining
    t.deepEqual([queue.unfinished, queue.failed], [0, 0])
  })

  test(`a worker that closes the queue has failed what it did not finish: ${place}`, async t => {
    using queue = JoinableQueue.create<string>(null)
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    queue.putManySync(['one', 'two'])
    await far.do('getMany', 2)
    await far.do('taskDone')
    const joining = queue.join()
    t.true(await isPending(joining))
    await far.do('close')
    await joining
    t.deepEqual([queue.unfinished, queue.failed], [0, 1])
  })
}
