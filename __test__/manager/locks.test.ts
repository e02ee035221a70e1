import '../helpers/domain.js'
import ava from 'ava'
import { type ManagedDict, Manager } from 'crossmem/manager'
import type { ManagerOrders } from '../fixtures/manager/use-manager.js'
import { type Hired, hire } from '../processes/hire.js'

const test = ava.serial
let manager: Manager

test.before(async () => {
  manager = await Manager.start()
})
test.after.always(() => manager.close())

async function users(
  count: number,
  reference: { crossmem: 'Managed'; name: string },
): Promise<Hired<ManagerOrders>[]> {
  const hired = await Promise.all(
    Array.from({ length: count }, () => hire<ManagerOrders>('manager/use-manager')),
  )
  for (const user of hired) await user.tell({ do: 'open', as: 'it', reference })
  return hired
}

const release = (all: Hired<ManagerOrders>[]) => Promise.all(all.map(user => user.kill()))

test('a lock is held by one at a time, and its fence only grows', async t => {
  const lock = await manager.lock()
  const [user] = (await users(1, lock.toJSON())) as [Hired<ManagerOrders>]
  const guard = await lock.lock()
  t.deepEqual([guard.ownerDied, guard.fence, await lock.isLocked()], [false, 1, true])
  t.is(await user.tell({ do: 'invoke', on: 'it', method: 'tryLock' }), undefined)
  const waits = user.begin({ do: 'invoke', on: 'it', method: 'lock', as: 'guard' })
  await waits.waits
  await guard.release()
  await waits.result
  t.is(await user.tell({ do: 'read', on: 'guard', property: 'fence' }), 2)
  await t.throwsAsync(guard.release(), { code: 'ERR_LOST_OWNERSHIP' })
  await t.throwsAsync(lock.lock({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  await user.tell({ do: 'invoke', on: 'guard', method: 'release' })
  t.is(await lock.withLock(held => held.fence), 3)
  t.false(await lock.isLocked())
  await release([user])
})

test('when a holder is killed, the next one is told, until it says that the data is whole', async t => {
  const lock = await manager.lock()
  const [user] = (await users(1, lock.toJSON())) as [Hired<ManagerOrders>]
  await user.tell({ do: 'invoke', on: 'it', method: 'lock', as: 'guard' })
  const next = lock.lock()
  await user.kill()
  const guard = await next
  t.true(guard.ownerDied)
  await guard.release()
  const again = await lock.lock()
  t.true(again.ownerDied)
  await again.markConsistent()
  await again.release()
  t.false(await lock.withLock(held => held.ownerDied))
})

test('an aborted wait for a lock holds nothing', async t => {
  const lock = await manager.lock()
  const guard = await lock.lock()
  for (let i = 0; i < 50; i++) {
    const end = new AbortController()
    const wait = lock.lock({ signal: end.signal })
    // Some are aborted before the call has left, some right when the lock becomes free.
    if (i % 2 === 1) await lock.isLocked()
    end.abort()
    await t.throwsAsync(wait, { any: true, name: 'AbortError' })
  }
  const end = new AbortController()
  const race = lock.lock({ signal: end.signal })
  await lock.isLocked()
  const released = guard.release()
  end.abort()
  await race.then(
    held => held.release(),
    () => undefined,
  )
  await released
  await (await lock.lock()).release()
  t.pass()
})

test('an RLock is taken again by the process that holds it', async t => {
  const lock = await manager.rlock()
  const [user] = (await users(1, lock.toJSON())) as [Hired<ManagerOrders>]
  const [outer, inner] = [await lock.lock(), await lock.lock()]
  await outer.release()
  t.is(await user.tell({ do: 'invoke', on: 'it', method: 'tryLock' }), undefined)
  await inner.release()
  t.false(await lock.isLocked())
  await release([user])
})

test('permits return when their process is killed', async t => {
  const slots = await manager.boundedSemaphore(2)
  const [user] = (await users(1, slots.toJSON())) as [Hired<ManagerOrders>]
  await user.tell({ do: 'invoke', on: 'it', method: 'acquire', as: 'permit' })
  const permit = await slots.acquire()
  t.is(await slots.value(), 0)
  t.is(await slots.tryAcquire(), undefined)
  const next = slots.acquire()
  await user.kill()
  await (await next).release()
  await permit.release()
  t.is(await slots.value(), 2)
  await t.throwsAsync(slots.release(), { code: 'ERR_OUT_OF_RANGE' })
  await t.throwsAsync(permit.release(), { code: 'ERR_LOST_OWNERSHIP' })
  const plain = await manager.semaphore(0)
  await plain.release(2)
  await (await plain.acquire()).consume()
  t.is(await plain.value(), 1)
})

test('an event wakes all that wait', async t => {
  const event = await manager.event()
  const waits = [event.wait(), event.wait()]
  await t.throwsAsync(event.wait({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  await event.set()
  await Promise.all(waits)
  await event.wait()
  await event.clear()
  t.false(await event.isSet())
})

test('a condition hands over its lock while it waits', async t => {
  const condition = await manager.condition()
  const [user] = (await users(1, condition.toJSON())) as [Hired<ManagerOrders>]
  await user.tell({ do: 'invoke', on: 'it', method: 'lock', as: 'guard' })
  const waits = user.begin({ do: 'invoke', on: 'it', method: 'wait', args: ['@guard'] })
  await waits.waits
  const guard = await condition.lock()
  t.is(await condition.notify(guard), 1)
  const { fence } = guard
  await guard.release()
  await waits.result
  t.true(((await user.tell({ do: 'read', on: 'guard', property: 'fence' })) as number) > fence)
  await user.kill()
  const mine = await condition.lock()
  t.true(mine.ownerDied)
  await t.throwsAsync(condition.wait(mine, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  const end = new AbortController()
  const aborted = condition.wait(mine, { signal: end.signal })
  await condition.isLocked()
  end.abort(new RangeError('enough'))
  await t.throwsAsync(aborted, { instanceOf: RangeError })
  // Also after these errors the lock is held.
  t.is(await condition.notifyAll(mine), 0)
  t.is(await condition.waitFor(mine, () => 'yes'), 'yes')
  await mine.release()
  await t.throwsAsync(condition.notify(mine), { code: 'ERR_LOST_OWNERSHIP' })
})

test('a barrier breaks when a party is killed, and can be reset', async t => {
  const barrier = await manager.barrier(3)
  const [user] = (await users(1, barrier.toJSON())) as [Hired<ManagerOrders>]
  const theirs = user.begin({ do: 'invoke', on: 'it', method: 'wait' })
  await theirs.waits
  const ours = barrier.wait()
  while ((await barrier.state()).waiting < 2) await new Promise(setImmediate)
  await user.kill()
  await t.throwsAsync(ours, { code: 'ERR_BROKEN_BARRIER' })
  await t.throwsAsync(barrier.wait(), { code: 'ERR_BROKEN_BARRIER' })
  await barrier.reset()
  t.deepEqual((await Promise.all([barrier.wait(), barrier.wait(), barrier.wait()])).toSorted(), [0, 1, 2])
  await t.throwsAsync(barrier.wait({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  t.true((await barrier.state()).isBroken)
})

test('a queue keeps order, waits for room and for messages, and ends', async t => {
  const queue = await manager.queue<unknown>({ capacity: 2 })
  await queue.put(1)
  t.deepEqual([await queue.tryPut({ n: 2 }), await queue.tryPut(3)], [true, false])
  const put = queue.put(3)
  await t.throwsAsync(queue.put(4, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  t.is(await queue.get(), 1)
  await put
  await queue.end()
  await t.throwsAsync(queue.put(5), { code: 'ERR_ENDED' })
  const rest: unknown[] = []
  for await (const value of queue) rest.push(value)
  t.deepEqual(rest, [{ n: 2 }, 3])
  await t.throwsAsync(queue.tryGet(), { code: 'ERR_ENDED' })
  const empty = await manager.queue()
  t.is(await empty.tryGet(), undefined)
  const waits = empty.get()
  const inner = await manager.dict({ a: 1 })
  await empty.put(inner)
  t.is(await ((await waits) as ManagedDict).get('a'), 1)
  const ending = empty.get()
  await empty.end()
  await t.throwsAsync(ending, { code: 'ERR_ENDED' })
})

test('a message whose get was aborted is not lost', async t => {
  const queue = await manager.queue<number>()
  for (let i = 0; i < 100; i++) {
    const end = new AbortController()
    const got = queue.get({ signal: end.signal }).catch(() => undefined)
    const put = queue.put(i)
    if (i % 2 === 0) end.abort()
    const [first] = await Promise.all([got, put])
    t.is(first ?? (await queue.get()), i)
  }
})

test('tasks of a killed process count as failed', async t => {
  const tasks = await manager.joinableQueue()
  const [user] = (await users(1, tasks.toJSON())) as [Hired<ManagerOrders>]
  await tasks.put('a')
  await tasks.put('b')
  t.is(await user.tell({ do: 'invoke', on: 'it', method: 'get' }), 'a')
  t.is(await tasks.get(), 'b')
  const joined = tasks.join()
  await tasks.taskDone()
  await t.throwsAsync(tasks.taskDone(), { code: 'ERR_OUT_OF_RANGE' })
  await user.kill()
  await joined
  t.is((await tasks.state()).failed, 1)
})
