import ava, { type ExecutionContext } from 'ava'
import type {
  BarrierLike,
  ConditionLike,
  EventLike,
  GuardLike,
  JoinableQueueLike,
  MutexLike,
  QueueLike,
  RwLockLike,
  SemaphoreLike,
  ValueLike,
} from 'crossmem/redis'
import { unique } from '../helpers/domain.js'

const test = ava.serial

export interface QueueOptions {
  capacity?: number
  redeliver?: boolean
}

/** What makes handles of objects: classes of this machine, or a connection to a server. */
export interface User {
  mutex(name: string): MutexLike
  rwLock(name: string): RwLockLike
  semaphore(name: string, permits: number, max: number): SemaphoreLike
  event(name: string, autoReset?: boolean): EventLike
  condition(name: string): ConditionLike
  barrier(name: string, parties: number, action?: () => unknown): BarrierLike
  value(name: string): ValueLike
  queue(name: string, options?: QueueOptions): QueueLike
  joinableQueue(name: string, options?: QueueOptions): JoinableQueueLike
}

/** Two users that share objects. */
export interface World {
  readonly here: User
  readonly there: User
}

/**
 * Whether a promise is pending once the world has had the time to settle it: after `rounds` of a
 * call that goes there and back.
 */
async function stays(promise: Promise<unknown>, around: () => unknown): Promise<boolean> {
  let isPending = true
  const settled = () => {
    isPending = false
  }
  promise.then(settled, settled)
  for (let i = 0; i < 5; i++) {
    await around()
    await new Promise(setImmediate)
  }
  return isPending
}

/**
 * What is promised of objects of one machine and of a server alike. `open` makes a world for one
 * test, and closes it at the test's end.
 */
export function testAlike(where: string, open: (t: ExecutionContext) => Promise<World>): void {
  const run = (title: string, act: (t: ExecutionContext, world: World) => Promise<void>) =>
    test(`${where}: ${title}`, async t => act(t, await open(t)))

  run('a mutex has one holder at a time, and those that wait are served', async (t, { here, there }) => {
    const name = unique('mutex')
    const [mine, theirs] = [here.mutex(name), there.mutex(name)]
    const held = await mine.lock()
    t.false(held.ownerDied || held.isReleased)
    t.true(await theirs.isLocked)
    t.is(await theirs.tryLock(), undefined)
    await t.throwsAsync(theirs.lock({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(theirs.lock({ timeout: 20 }), { code: 'ERR_TIMEOUT', message: /20 ms/ })
    const waiting = theirs.lock()
    t.true(await stays(waiting, () => mine.isLocked))
    await held.release()
    t.true(held.isReleased)
    const next = await waiting
    t.false(next.ownerDied)
    t.is(await mine.tryLock(), undefined)
    await next.release()
    await t.throwsAsync(async () => next.release(), { code: 'ERR_LOST_OWNERSHIP' })
    await t.throwsAsync(async () => next.markConsistent(), { code: 'ERR_LOST_OWNERSHIP' })
    t.false(await mine.isLocked)
    t.is(await theirs.withLock(async () => 5), 5)
    await t.throwsAsync(
      theirs.withLock(() => {
        throw new Error('inside')
      }),
      { message: 'inside' },
    )
    await t.throwsAsync(theirs.withLock(undefined as never), { code: 'ERR_INVALID_ARG' })
    t.false(await mine.isLocked)
  })

  run('waits are served in the order in which they began', async (t, { here, there }) => {
    const name = unique('mutex')
    const [mine, theirs] = [here.mutex(name), there.mutex(name)]
    const held = await theirs.lock()
    const order: number[] = []
    const waits = Array.from({ length: 10 }, async (_, i) => {
      const guard = await mine.lock()
      order.push(i)
      await guard.release()
    })
    t.true(await stays(Promise.race(waits), () => theirs.isLocked))
    await held.release()
    await Promise.all(waits)
    t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  run('a signal ends a wait, and takes it out of the line', async (t, { here, there }) => {
    const name = unique('mutex')
    const [mine, theirs] = [here.mutex(name), there.mutex(name)]
    const reason = new Error('enough')
    await t.throwsAsync(mine.lock({ signal: AbortSignal.abort(reason) }), { is: reason })
    const held = await theirs.lock()
    const controller = new AbortController()
    const aborted = mine.lock({ signal: controller.signal })
    const kept = mine.lock({ signal: new AbortController().signal, timeout: 600_000 })
    t.true(await stays(aborted, () => theirs.isLocked))
    controller.abort(reason)
    await t.throwsAsync(aborted, { is: reason })
    await held.release()
    await (await kept).release()
    for (const timeout of [-1, Number.NaN, '1']) {
      await t.throwsAsync(mine.lock({ timeout } as never), { code: 'ERR_INVALID_ARG' })
    }
    await t.throwsAsync(mine.lock({ signal: 1 } as never), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(mine.lock({ time: 1 } as never), { code: 'ERR_INVALID_ARG' })
  })

  run('closing a handle rejects its waits', async (t, { here, there }) => {
    const name = unique('mutex')
    const [mine, theirs] = [here.mutex(name), there.mutex(name)]
    const held = await theirs.lock()
    const waiting = mine.lock()
    t.true(await stays(waiting, () => theirs.isLocked))
    if (here !== there) {
      await mine.close()
      await t.throwsAsync(waiting, { code: 'ERR_CLOSED' })
      await t.throwsAsync(mine.lock(), { code: 'ERR_CLOSED' })
      await mine.close()
    }
    await held.release()
    if (here === there) await (await waiting).release()
    await (await theirs.lock()).release()
  })

  run('readers share an RwLock, and a writer has it alone', async (t, { here, there }) => {
    const name = unique('rw')
    const [mine, theirs] = [here.rwLock(name), there.rwLock(name)]
    const readers = [await mine.read(), await theirs.read(), (await theirs.tryRead()) as GuardLike]
    t.is(await mine.tryWrite(), undefined)
    const writing = theirs.write()
    t.true(await stays(writing, () => mine.tryWrite()))
    // On one thread, a writer that waits has not come to the lock yet.
    if (here !== there) t.is(await mine.tryRead(), undefined, 'no reader passes a writer that waits')
    for (const reader of readers) await reader.release()
    const writer = await writing
    t.is(await mine.tryRead(), undefined)
    await t.throwsAsync(mine.read({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
    await writer.release()
    t.is(await mine.withRead(() => 1), 1)
    t.is(await mine.withWrite(() => 2), 2)
  })

  run('a semaphore has so many permits', async (t, { here, there }) => {
    const name = unique('semaphore')
    const [mine, theirs] = [here.semaphore(name, 2, 3), there.semaphore(name, 2, 3)]
    t.deepEqual([await mine.value, mine.max], [2, 3])
    const [first, second] = [await mine.acquire(), await theirs.acquire()]
    t.is(await mine.tryAcquire(), undefined)
    const third = mine.acquire()
    t.true(await stays(third, () => theirs.value))
    await second.release()
    await (await third).release()
    await first.consume()
    t.is(await theirs.value, 1)
    await theirs.release(2)
    t.is(await mine.value, 3)
    await t.throwsAsync(async () => mine.release(), { code: 'ERR_OUT_OF_RANGE' })
    t.is(await mine.withPermit(() => theirs.value), 2)
    t.is(await mine.value, 3)
  })

  run('an event ends all waits, and one with autoReset a single one', async (t, { here, there }) => {
    const name = unique('event')
    const [mine, theirs] = [here.event(name), there.event(name)]
    t.false(await mine.isSet)
    const waits = [mine.wait(), theirs.wait()]
    t.true(await stays(Promise.race(waits), () => mine.isSet))
    await theirs.set()
    await Promise.all(waits)
    await mine.wait({ timeout: 0 })
    t.true(await mine.tryWait())
    await mine.clear()
    t.false(await theirs.tryWait())
    await t.throwsAsync(theirs.wait({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
    const auto = unique('event')
    const [once, again] = [here.event(auto, true), there.event(auto, true)]
    await again.set()
    t.true(await once.tryWait())
    t.false(await again.isSet)
    const both = [once.wait(), again.wait()]
    t.true(await stays(Promise.race(both), () => once.isSet))
    await once.set()
    await Promise.race(both)
    t.true(await stays(Promise.all(both), () => once.isSet))
    await again.set()
    await Promise.all(both)
  })

  run('a condition gives its lock up while it waits', async (t, { here, there }) => {
    const name = unique('condition')
    const mine = here.condition(name)
    const guard = await mine.lock()
    await t.throwsAsync(mine.wait({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(mine.wait({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
    t.true(await mine.isLocked)
    let isReady = false
    const waiting = mine.waitFor(() => isReady)
    const theirs = here === there ? mine : there.condition(name)
    const other = await theirs.lock()
    isReady = true
    t.is(await theirs.notify(), 1)
    t.is(await theirs.notifyAll(), 0)
    await other.release()
    t.true(await waiting)
    t.true(await theirs.isLocked)
    t.false(guard.isReleased)
    await guard.release()
    await t.throwsAsync(mine.wait(), { code: 'ERR_LOST_OWNERSHIP' })
    await t.throwsAsync(async () => mine.notify(), { code: 'ERR_LOST_OWNERSHIP' })
  })

  run(
    'a barrier lets all parties go at once, after its action, and breaks for all',
    async (t, { here, there }) => {
      const name = unique('barrier')
      let actions = 0
      const act = async () => {
        await new Promise(setImmediate)
        actions++
      }
      const [mine, theirs] = [here.barrier(name, 3, act), there.barrier(name, 3, act)]
      for (const round of [1, 2]) {
        const first = theirs.wait()
        t.true(await stays(first, () => mine.waiting))
        t.is(await mine.waiting, 1)
        const numbers = await Promise.all([first, mine.wait(), theirs.wait()])
        t.deepEqual(numbers.sort(), [0, 1, 2])
        t.is(actions, round)
      }
      const left = mine.wait()
      left.catch(() => undefined)
      t.true(await stays(left, () => mine.waiting))
      await t.throwsAsync(theirs.wait({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
      await t.throwsAsync(left, { code: 'ERR_BROKEN_BARRIER' })
      t.true(await mine.isBroken)
      await t.throwsAsync(theirs.wait(), { code: 'ERR_BROKEN_BARRIER' })
      await theirs.reset()
      t.false(await mine.isBroken)
      await mine.abort()
      t.true(await theirs.isBroken)
      t.is(mine.parties, 3)
    },
  )

  run('a barrier breaks if its action throws', async (t, { here }) => {
    const barrier = here.barrier(unique('barrier'), 2, () => {
      throw new Error('action')
    })
    const parties = await Promise.allSettled([barrier.wait(), barrier.wait()])
    t.deepEqual(parties.map(party => (party as PromiseRejectedResult).reason.code ?? 'action').sort(), [
      'ERR_BROKEN_BARRIER',
      'action',
    ])
  })

  run('changes of a value are not lost', async (t, { here, there }) => {
    const name = unique('value')
    const [mine, theirs] = [here.value(name), there.value(name)]
    t.is(await mine.get(), 0)
    await Promise.all(Array.from({ length: 40 }, async (_, i) => (i % 2 ? mine : theirs).add(2)))
    t.is(await mine.get(), 80)
    t.is(await theirs.sub(30), 80)
    t.is(await mine.exchange(7), 50)
    t.is(await theirs.compareExchange(7, 8), 7)
    t.is(await theirs.compareExchange(7, 9), 8)
    t.is(await mine.update(value => value * 2), 16)
    await theirs.set(-1.5)
    t.is(await mine.get(), -1.5)
    await t.throwsAsync(async () => mine.update(() => 'x' as never), { code: 'ERR_INVALID_ARG' })
    t.is(await theirs.get(), -1.5)
  })

  run('a queue is bounded, and in order', async (t, { here, there }) => {
    const name = unique('queue')
    const [mine, theirs] = [here.queue(name, { capacity: 3 }), there.queue(name, { capacity: 3 })]
    t.deepEqual([await mine.capacity, await mine.redeliver, await mine.isEmpty], [3, false, true])
    await mine.put({ a: [1] })
    await mine.putMany(['b', new Map([[1, new Date(5)]])])
    t.deepEqual([await theirs.size, await theirs.isFull, await theirs.isEmpty], [3, true, false])
    t.false(await theirs.tryPut('d'))
    t.is(await theirs.tryPutMany(['d', 'e']), 0)
    await t.throwsAsync(theirs.put('d', { timeout: 0 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(theirs.put('d', { timeout: 10 }), { code: 'ERR_TIMEOUT' })
    const putting = theirs.putMany(['d', 'e', 'f', 'g'])
    t.true(await stays(putting, () => mine.size))
    t.deepEqual(await mine.get(), { a: [1] })
    t.deepEqual(await mine.getMany(2), ['b', new Map([[1, new Date(5)]])])
    t.is(await mine.get(), 'd')
    await putting
    t.deepEqual(
      [await mine.tryGet(), await mine.tryGetMany(9), await mine.tryGet()],
      ['e', ['f', 'g'], undefined],
    )
    await t.throwsAsync(mine.get({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(mine.get({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
    t.is(await mine.tryPutMany([1, 2, 3, 4]), 3)
    t.deepEqual(await theirs.tryGetMany(9), [1, 2, 3])
    const bytes = new Uint8Array(200_000).fill(7)
    const large = mine.get()
    t.true(await stays(large, () => theirs.size))
    await theirs.put(bytes)
    t.deepEqual(await large, bytes)
    t.is(await theirs.size, 0)
  })

  run('gets are served in order, whatever ends the other ones', async (t, { here, there }) => {
    const name = unique('queue')
    const [mine, theirs] = [here.queue(name), there.queue(name)]
    const controller = new AbortController()
    const waits = [
      mine.get(),
      mine.get({ signal: controller.signal }),
      mine.get({ timeout: 5 }),
      mine.getMany(2),
      mine.get(),
    ]
    for (const wait of waits) wait.catch(() => undefined)
    await t.throwsAsync(waits[2] as Promise<unknown>, { code: 'ERR_TIMEOUT' })
    controller.abort(new Error('enough'))
    await t.throwsAsync(waits[1] as Promise<unknown>, { message: 'enough' })
    t.true(await stays(Promise.race([waits[0], waits[3], waits[4]]), () => theirs.size))
    await theirs.putMany([0, 1, 2, 3])
    t.deepEqual(await Promise.all([waits[0], waits[3], waits[4]]), [0, [1, 2], 3])
  })

  run('what cannot be encoded, and numbers that cannot be, are refused', async (t, { here }) => {
    const queue = here.queue(unique('queue'))
    await t.throwsAsync(
      queue.put(() => 1),
      { code: 'ERR_INVALID_ARG', message: /can't be sent/ },
    )
    await t.throwsAsync(queue.putMany([1, Symbol('a')]), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(queue.putMany(5 as never), { code: 'ERR_INVALID_ARG' })
    for (const max of [0, -1, 1.5, '1']) {
      await t.throwsAsync(queue.getMany(max as never), { code: 'ERR_INVALID_ARG' })
      await t.throwsAsync(async () => queue.tryGetMany(max as never), { code: 'ERR_INVALID_ARG' })
    }
    t.is(await queue.size, 0)
    t.throws(() => here.queue(unique('queue'), { capacity: 0 }), { code: 'ERR_INVALID_ARG' })
    t.throws(() => here.queue(unique('queue'), { redeliver: 1 } as never), { code: 'ERR_INVALID_ARG' })
  })

  run('a message keeps its place until it is released', async (t, { here, there }) => {
    const name = unique('queue')
    const [mine, theirs] = [here.queue(name, { capacity: 2 }), there.queue(name, { capacity: 2 })]
    await mine.putMany([1, 2])
    const message = await theirs.receive()
    t.deepEqual([message.value, message.redelivered], [1, false])
    t.is(await mine.size, 1)
    t.false(await mine.tryPut(3))
    await message.release()
    await message.release()
    t.true(await mine.tryPut(3))
    const second = await mine.tryReceive()
    t.is(second?.value, 2)
    await second?.release()
    t.is(await theirs.get(), 3)
    t.is(await mine.tryReceive(), undefined)
  })

  run('a queue ends: for puts at once, for gets when it is empty', async (t, { here, there }) => {
    const name = unique('queue')
    const [mine, theirs] = [here.queue(name, { capacity: 2 }), there.queue(name, { capacity: 2 })]
    await mine.putMany([1, 2])
    const putting = mine.put(3)
    t.true(await stays(putting, () => theirs.size))
    await theirs.end()
    await theirs.end()
    await t.throwsAsync(putting, { code: 'ERR_ENDED' })
    t.true(await mine.isEnded)
    await t.throwsAsync(theirs.put(4), { code: 'ERR_ENDED' })
    const seen: unknown[] = []
    for await (const value of mine) seen.push(value)
    t.deepEqual(seen, [1, 2])
    await t.throwsAsync(mine.get(), { code: 'ERR_ENDED' })
    t.is(await mine.tryGet(), undefined)
    const other = here.queue(unique('queue'))
    const waiting = other.get()
    t.true(await stays(waiting, () => other.size))
    await other.end()
    await t.throwsAsync(waiting, { code: 'ERR_ENDED' })
  })

  run('a queue is two web streams', async (t, { here, there }) => {
    const name = unique('queue')
    const [mine, theirs] = [here.queue(name, { capacity: 2 }), there.queue(name, { capacity: 2 })]
    const writing = (async () => {
      const writer = mine.writable.getWriter()
      for (const value of [1, 2, 3, 4, 5]) await writer.write(value)
      await writer.close()
    })()
    const seen: unknown[] = []
    for await (const value of theirs.readable) seen.push(value)
    t.deepEqual(seen, [1, 2, 3, 4, 5])
    await writing
  })

  run('a JoinableQueue is joined when all its tasks are done', async (t, { here, there }) => {
    const name = unique('tasks')
    const [mine, theirs] = [here.joinableQueue(name), there.joinableQueue(name)]
    await mine.join()
    await mine.putMany([1, 2, 3])
    t.is(await theirs.get(), 1)
    t.deepEqual(await theirs.getMany(5), [2, 3])
    const joining = mine.join()
    await theirs.taskDone()
    await theirs.taskDone()
    t.true(await stays(joining, () => theirs.unfinished))
    t.is(await mine.unfinished, 1)
    await t.throwsAsync(mine.join({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
    await theirs.taskDone()
    await joining
    t.deepEqual([await mine.unfinished, await mine.failed], [0, 0])
    await t.throwsAsync(async () => theirs.taskDone(), { code: 'ERR_LOST_OWNERSHIP' })
  })

  run('waits at an object that is unlinked end', async (t, { here, there }) => {
    const queue = here.queue(unique('queue'))
    const waiting = queue.get()
    t.true(await stays(waiting, () => queue.size))
    await there.queue(queue.name).unlink()
    await t.throwsAsync(waiting, { code: 'ERR_NOT_FOUND' })
  })

  run('an object of another kind is refused', async (t, { here, there }) => {
    const name = unique('kind')
    const mutex = here.mutex(name)
    t.truthy(await mutex.tryLock())
    await t.throwsAsync(async () => there.queue(name).tryPut(1), { code: 'ERR_WRONG_KIND' })
    await t.throwsAsync(async () => there.event(name).set(), { code: 'ERR_WRONG_KIND' })
  })
}
