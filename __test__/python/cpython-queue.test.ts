// What Python promises of multiprocessing.Queue, JoinableQueue and SimpleQueue, promised by ours.
// Each test names the one in CPython's Lib/test/_test_multiprocessing.py that it follows.
import '../helpers/domain.js'
import ava from 'ava'
import { Event, JoinableQueue, Queue } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { isPending } from '../helpers/pending.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

// _TestQueue.test_put
test('a queue is filled in every way, refuses more in every way, and is emptied by another process', async t => {
  using queue = Queue.create<number>(null, { capacity: 6 })
  const child = await startPeer(t, 'process')
  const far = await child.open(queue)
  t.deepEqual([queue.isEmpty, queue.isFull], [true, false])
  await queue.put(1)
  queue.putSync(2)
  await queue.put(3, { timeout: 1000 })
  await queue.put(4, { timeout: 0 })
  queue.putSync(5, { timeout: 0 })
  t.true(queue.tryPut(6))
  t.deepEqual([queue.isEmpty, queue.isFull], [false, true])
  t.false(queue.tryPut(7))
  for (const timeout of [0, 1, 30]) {
    await t.throwsAsync(queue.put(7, { timeout }), { code: 'ERR_TIMEOUT' })
    t.throws(() => queue.putSync(7, { timeout }), { code: 'ERR_TIMEOUT' })
  }
  for (const i of range(6, 1)) t.is(await far.do('get'), i)
  t.deepEqual([queue.isEmpty, queue.isFull], [true, false])
})

// _TestQueue.test_get
test('items of another process are taken out in every way, and nothing more comes', async t => {
  using queue = Queue.create<number>(null)
  const child = await startPeer(t, 'process')
  const far = await child.open(queue)
  t.true(queue.isEmpty)
  for (const i of range(4, 2)) await far.do('put', i)
  t.false(queue.isEmpty)
  t.is(await queue.get(), 2)
  t.is(queue.getSync(), 3)
  t.is(await queue.get({ timeout: 1000 }), 4)
  t.is(queue.tryGet(), 5)
  t.true(queue.isEmpty)
  t.is(queue.tryGet(), undefined)
  for (const timeout of [0, 1, 30]) {
    await t.throwsAsync(queue.get({ timeout }), { code: 'ERR_TIMEOUT' })
    t.throws(() => queue.getSync({ timeout }), { code: 'ERR_TIMEOUT' })
  }
})

// _TestQueue.test_fork
test('a process that is started when the queue has been used puts behind what is in it', async t => {
  using queue = Queue.create<number>(null)
  for (const i of range(10)) await queue.put(i)
  const child = await startPeer(t, 'process')
  const far = await child.open(queue)
  for (const i of range(10, 10)) await far.do('put', i)
  for (const i of range(20)) t.is(await queue.get(), i)
  t.is(queue.tryGet(), undefined)
})

// _TestQueue.test_qsize
test('the size goes up and down', t => {
  using queue = Queue.create<number>(null)
  const sizes = [queue.size]
  for (const act of [
    () => queue.putSync(1),
    () => queue.putSync(5),
    () => queue.getSync(),
    () => queue.getSync(),
  ]) {
    act()
    sizes.push(queue.size)
  }
  t.deepEqual(sizes, [0, 1, 2, 1, 0])
})

// _TestQueue.test_task_done
test('joining waits for four workers', async t => {
  using queue = JoinableQueue.create<number | null>(null)
  const workers = await Promise.all(
    range(4).map(async () => {
      const there = await startPeer(t, 'process')
      return there.it('deeds').begin('work', await there.open(queue))
    }),
  )
  for (const i of range(10)) await queue.put(i)
  await queue.join()
  t.is(queue.unfinished, 0)
  for (const _ of workers) await queue.put(null)
  const done = await Promise.all(workers.map(({ result }) => result as Promise<number>))
  t.is(
    done.reduce((sum, count) => sum + count),
    10,
  )
})

// _TestQueue.test_timeout
test('a wait without success ends in time', async t => {
  using queue = Queue.create(null)
  await t.throwsAsync(queue.get({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => queue.getSync({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
})

// _TestQueue.test_queue_feeder_donot_stop_onexc
test('a value that can’t be encoded takes no room, and the next one comes through', async t => {
  const wrong = {
    get broken() {
      throw new Error('as told')
    },
    toJSON: () => 'not asked',
  }
  using queue = Queue.create<unknown>(null, { capacity: 1 })
  await t.throwsAsync(queue.put(wrong), { code: 'ERR_INVALID_ARG', message: /as told/ })
  await queue.put(true)
  t.is(queue.size, 1)
  t.true(await queue.get())
  t.true(queue.isEmpty)
})

// _TestQueue.test_closed_queue_empty_exceptions, test_closed_queue_put_get_exceptions;
// TestSimpleQueue.test_empty_exceptions, test_close, test_closed
test('a closed queue is refused, and closing twice does nothing', async t => {
  for (const make of [() => Queue.create<string>(null), () => JoinableQueue.create<string>(null)]) {
    for (const isUsed of [false, true]) {
      const queue = make()
      if (isUsed) queue.putSync('foo')
      queue.close()
      queue.close()
      await t.throwsAsync(queue.put('foo'), { code: 'ERR_CLOSED', message: /closed/ })
      await t.throwsAsync(queue.get(), { code: 'ERR_CLOSED' })
      t.throws(() => queue.isEmpty, { code: 'ERR_CLOSED' })
    }
  }
})

// _TestQueue.test_shutdown_empty
test('an empty queue that has ended refuses puts and gets in every process', async t => {
  const child = await startPeer(t, 'process')
  for (const queue of [Queue.create<string>(null), JoinableQueue.create<string>(null)]) {
    using _ = queue
    const far = await child.open({ crossmem: queue.crossmem, name: queue.name })
    const joining = queue instanceof JoinableQueue ? await far.begin('join') : undefined
    queue.end()
    await joining?.result
    t.is(queue.size, 0)
    await t.throwsAsync(far.do('put', 'data'), { code: 'ERR_ENDED' })
    t.throws(() => queue.tryPut('data'), { code: 'ERR_ENDED' })
    await t.throwsAsync(far.do('get'), { code: 'ERR_ENDED' })
    t.is(queue.tryGet(), undefined)
    await t.throwsAsync(queue.get(), { code: 'ERR_ENDED' })
  }
})

// _TestQueue.test_shutdown_nonempty
test('items that were in a queue when it ended are got and joined', async t => {
  const child = await startPeer(t, 'process')
  for (const queue of [
    Queue.create<string>(null, { capacity: 1 }),
    JoinableQueue.create<string>(null, { capacity: 1 }),
  ]) {
    using _ = queue
    const far = await child.open({ crossmem: queue.crossmem, name: queue.name })
    queue.putSync('data')
    const joining = queue instanceof JoinableQueue ? queue.join() : undefined
    queue.end()
    t.is(queue.size, 1)
    t.is(await far.do('get'), 'data')
    if (joining) t.true(await isPending(joining))
    await t.throwsAsync(far.do('put', 'data'), { code: 'ERR_ENDED' })
    await t.throwsAsync(queue.get(), { code: 'ERR_ENDED' })
    if (joining) await far.do('taskDone')
    await joining
  }
})

// TestSimpleQueue.test_empty
test('another process sees whether the queue is empty', async t => {
  using queue = Queue.create<boolean>(null)
  using start = Event.create(null)
  const child = await startPeer(t, 'process')
  const far = await child.open(queue)
  const waiting = await (await child.open(start)).begin('wait')
  t.true(queue.isEmpty)
  start.set()
  await waiting.result
  for (const _ of range(2)) await far.do('put', await far.do('isEmpty'))
  t.false(queue.isEmpty)
  t.deepEqual([await queue.get(), await queue.get()], [true, false])
  t.true(queue.isEmpty)
})
