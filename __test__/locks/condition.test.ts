import '../helpers/domain.js'
import ava from 'ava'
import { Condition, SharedMemory } from 'crossmem'
import { testLock } from '../contracts/lock.js'
import { testObject } from '../contracts/object.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { type Distant, type Peer, startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  Condition,
  [],
  [
    condition => condition.lock(),
    condition => condition.lockSync(),
    condition => condition.tryLock(),
    condition => condition.unlock(),
    condition => condition.isLocked,
    condition => condition.wait(),
    condition => condition.waitSync(),
    condition => condition.waitFor(() => false),
    condition => condition.waitForSync(() => false),
    condition => condition.notify(),
    condition => condition.notifyAll(),
  ],
)

testLock({
  kind: 'Condition',
  create: () => Condition.create(null),
  lock: 'lock',
  lockSync: 'lockSync',
  tryLock: 'tryLock',
  withLock: 'withLock',
  again: 'refused',
  tells: true,
})

/** Has it wait for a notification: it locks, and lets go of the lock while it waits. */
async function waitThere(far: Distant, how = 'wait', ...args: unknown[]) {
  const guard = await far.take('lock')
  const { result } = await far.begin(how, ...args)
  return { guard, result }
}

/** Notifies while holding the lock. */
async function notify(condition: Condition, count?: number): Promise<number> {
  using _guard = await condition.lock()
  return condition.notify(count)
}

const hireTwo = async (
  t: Parameters<typeof startPeer>[0],
  place: (typeof places)[number],
): Promise<[Peer, Peer]> => [await startPeer(t, place), await startPeer(t, place)]

test('without the lock there is neither waiting nor notifying', async t => {
  using condition = Condition.create(null)
  await t.throwsAsync(condition.wait(), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => condition.waitSync(), { code: 'ERR_LOST_OWNERSHIP' })
  for (const answer of [false, true])
    await t.throwsAsync(
      condition.waitFor(() => answer),
      { code: 'ERR_LOST_OWNERSHIP' },
    )
  t.throws(() => condition.waitForSync(() => false), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => condition.waitForSync(() => true), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => condition.notify(), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => condition.notifyAll(), { code: 'ERR_LOST_OWNERSHIP' })
  using _guard = condition.lockSync()
  for (const count of [0, -1, 0.5, Number.NaN, '1']) {
    t.throws(() => condition.notify(count as never), { code: 'ERR_INVALID_ARG' }, String(count))
  }
  for (const timeout of [-1, Number.NaN, '1']) {
    await t.throwsAsync(condition.wait({ timeout } as never), { code: 'ERR_INVALID_ARG' })
    t.throws(() => condition.waitSync({ timeout } as never), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(
      condition.waitFor(() => true, { timeout } as never),
      { code: 'ERR_INVALID_ARG' },
    )
  }
  t.is(condition.notifyAll(), 0)
  t.is(condition.notify(5), 0)
})

test('a notification without a waiter is lost', async t => {
  using condition = Condition.create(null)
  const guard = condition.lockSync()
  t.is(condition.notifyAll(), 0)
  await t.throwsAsync(condition.wait({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => condition.waitSync({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => condition.waitSync({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  t.false(guard.isReleased)
  guard.release()
})

test('after a wait the lock is held again by the same guard, whatever way it ended', async t => {
  using condition = Condition.create(null)
  const there = await startPeer(t, 'process')
  const far = await there.open(condition)
  const guard = condition.lockSync()
  const reason = new Error('enough')
  const controller = new AbortController()
  const waiting = condition.wait({ signal: controller.signal })
  const theirs = await far.take('lock')
  controller.abort(reason)
  t.true(await isPending(waiting), 'they have the lock now')
  await theirs.do('release')
  await t.throwsAsync(waiting, { is: reason })
  t.is(await far.do('tryLock'), undefined)
  await t.throwsAsync(condition.wait({ signal: controller.signal }), { is: reason })
  t.is(await far.do('tryLock'), undefined)
  await t.throwsAsync(condition.wait({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  t.is(condition.notifyAll(), 0, 'no waiter that gave up is left')
  t.false(guard.isReleased)
  guard.release()
  t.false(condition.isLocked)
})

for (const place of places) {
  for (const how of ['wait', 'waitSync']) {
    test(`notify wakes as many as it says, and notifyAll everyone: ${how}, ${place}`, async t => {
      using condition = Condition.create(null)
      const peers = [...(await hireTwo(t, place)), ...(await hireTwo(t, place))]
      const waits = []
      for (const peer of peers) waits.push(await waitThere(await peer.open(condition), how))
      const settled: number[] = []
      const woken = waits.map(async ({ result, guard }, i) => {
        await result
        settled.push(i)
        await guard.do('release')
      })
      t.is(await notify(condition), 1)
      await Promise.race(woken)
      t.true((await condition.lock()) !== undefined)
      t.is(settled.length, 1)
      t.is(condition.notify(2), 2)
      t.is(settled.length, 1, 'they come when the lock is released')
      condition.unlock()
      await Promise.race([...woken.keys()].filter(i => !settled.includes(i)).map(i => woken[i]))
      // The fourth one still waits.
      const guard = await condition.lock()
      t.is(condition.notifyAll(), 1)
      t.is(condition.notifyAll(), 0)
      guard.release()
      await Promise.all(woken)
      t.is(new Set(settled).size, 4)
    })

    test(`a waiter is told when it is unlinked, and when no other process is left: ${how}, ${place}`, async t => {
      const there = await startPeer(t, place)
      using unlinked = Condition.create(null)
      const waiting = await waitThere(await there.open(unlinked), how)
      unlinked.unlink()
      await t.throwsAsync(waiting.result, { code: 'ERR_NOT_FOUND' })
      t.is(unlinked.tryLock(), undefined, 'held again')
      await waiting.guard.do('release')
      unlinked.lockSync().release()

      const condition = Condition.create(null)
      const far = await there.open(condition)
      const alone = await waitThere(far, how)
      condition.close()
      await t.throwsAsync(alone.result, { code: 'ERR_PEER_DIED' })
      t.false(await alone.guard.do('isReleased'))
      t.is(await far.do('notifyAll'), 0)
      await alone.guard.do('release')
    })

    test(`a holder that dies is reported to the waiters: ${how}, ${place}`, async t => {
      using condition = Condition.create(null)
      const [waiter, dying] = await hireTwo(t, place)
      const waiting = await waitThere(await waiter.open(condition), how)
      const there = await dying.open(condition)
      await there.take('lock')
      t.is(await there.do('notify'), 1)
      await dying.kill()
      await waiting.result
      t.true(await waiting.guard.do('ownerDied'))
      await waiting.guard.do('markConsistent')
      await waiting.guard.do('release')
      t.false(condition.lockSync().ownerDied)
    })
  }

  test(`unlinking does not take the lock from a waiter that was notified: ${place}`, async t => {
    using condition = Condition.create(null)
    const there = await startPeer(t, place)
    const waiting = await waitThere(await there.open(condition), 'wait')
    const guard = condition.lockSync()
    condition.notify()
    condition.unlink()
    const tick = Condition.create(null)
    tick.lockSync()
    await t.throwsAsync(tick.wait({ timeout: 300 }), { code: 'ERR_TIMEOUT' })
    tick.close()
    t.true(await isPending(waiting.result))
    guard.release()
    await waiting.result
    t.is(condition.tryLock(), undefined)
    await waiting.guard.do('release')
  })

  test(`waitFor waits until its condition holds: ${place}`, async t => {
    using condition = Condition.create(null)
    using memory = SharedMemory.create(null, 1)
    const there = await startPeer(t, place)
    const far = await there.open(condition)
    let calls = 0
    const waiting = condition.withLock(() =>
      condition.waitFor(() => {
        calls++
        return memory.bytes[0] === 4 && 'four'
      }),
    )
    for (let i = 1; i <= 4; i++) {
      const guard = await far.take('lock')
      memory.bytes[0] = i
      t.is(await far.do('notify'), 1)
      await guard.do('release')
      while (calls <= i) await new Promise(setImmediate)
    }
    t.is(await waiting, 'four')
    t.is(calls, 5)
    t.is(await condition.withLock(() => condition.waitFor(async () => 5, { timeout: 0 })), 5)
    await t.throwsAsync(
      condition.withLock(() => condition.waitFor(() => false, { timeout: 20 })),
      { code: 'ERR_TIMEOUT' },
    )
    await t.throwsAsync(
      condition.withLock(() => condition.waitFor(() => Promise.reject(new Error('in the predicate')))),
      { message: 'in the predicate' },
    )
    using _guard = condition.lockSync()
    t.is(
      condition.waitForSync(() => 6),
      6,
    )
    t.throws(() => condition.waitForSync(() => 0, { timeout: 20 }), { code: 'ERR_TIMEOUT' })
    t.throws(
      () =>
        condition.waitForSync(() => {
          throw new Error('in the predicate')
        }),
      { message: 'in the predicate' },
    )
  })
}

for (const how of ['wait', 'waitSync']) {
  const title = `a notification that goes to one who dies before it hears of it goes to another one: ${how}`
  if (process.platform === 'win32') {
    test.skip(`${title} (skipped: Windows has no SIGSTOP)`, () => undefined)
    continue
  }
  test(title, async t => {
    using condition = Condition.create(null)
    for (let i = 0; i < 5; i++) {
      const [a, b] = await hireTwo(t, 'process')
      const doomed = await waitThere(await a.open(condition), how)
      const other = await waitThere(await b.open(condition), how)
      a.hired.signal('SIGSTOP')
      // A later agent has a higher slot, so the stopped one is woken first.
      t.is(await notify(condition), 1)
      await a.kill()
      await other.result
      t.false(await other.guard.do('ownerDied'))
      await other.guard.do('release')
      await t.throwsAsync(doomed.result)
      await b.kill()
    }
    using _guard = condition.lockSync()
    t.is(condition.notifyAll(), 0)
  })
}

test('tasks of one thread wait and notify each other, in order', async t => {
  using condition = Condition.create(null)
  const order: number[] = []
  const waits = Array.from({ length: 10 }, (_, i) =>
    condition.withLock(async () => {
      await condition.wait()
      order.push(i)
    }),
  )
  t.true(await isPending(Promise.race(waits)))
  t.is(await notify(condition, 3), 3)
  await Promise.all(waits.slice(0, 3))
  t.true(await isPending(Promise.race(waits.slice(3))))
  t.is(await notify(condition, 100), 7)
  await Promise.all(waits)
  t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a waiter that gave up takes no notification with it', async t => {
  using condition = Condition.create(null)
  const { signal } = new AbortController()
  const aborted = AbortSignal.abort(new Error('enough'))
  for (let i = 0; i < 3; i++) {
    const guard = condition.lockSync()
    await t.throwsAsync(condition.wait({ signal: aborted }), { message: 'enough' })
    guard.release()
  }
  const waiting = condition.withLock(() => condition.wait({ signal }))
  t.true(await isPending(waiting))
  t.is(await notify(condition, 1), 1)
  await waiting
})

test('closing while waiting ends it, and the guard is none any more', async t => {
  const condition = Condition.create(null)
  const there = await startPeer(t, 'process')
  const far = await there.open(condition)
  const guard = condition.lockSync()
  const waiting = condition.wait()
  t.true(await isPending(waiting))
  condition.close()
  await t.throwsAsync(waiting, { code: 'ERR_CLOSED' })
  t.true(guard.isReleased)
  guard[Symbol.dispose]()
  const theirs = await far.take('lock')
  t.false(theirs.ownerDied)
  t.is(await far.do('notifyAll'), 0)

  const again = Condition.open(condition.name)
  const mine = again.lock()
  t.true(await isPending(mine))
  await theirs.do('release')
  const held = await mine
  const retaking = again.wait()
  const theirsAgain = await far.take('lock')
  t.is(await far.do('notify'), 1)
  t.true(await isPending(retaking))
  again.close()
  await t.throwsAsync(retaking, { code: 'ERR_CLOSED' })
  t.true(held.isReleased)
  await theirsAgain.do('release')
  t.falsy((await far.take('lock')).ownerDied)
})

test('a notification goes on to another if its waiter dies before it has the lock again', async t => {
  using condition = Condition.create(null)
  const [victim, other] = await hireTwo(t, 'process')
  const far = await victim.open(condition)
  await waitThere(far)
  const { result } = await waitThere(await other.open(condition))
  const guard = await condition.lock()
  t.is(condition.notify(), 1)
  // By then it has heard, and waits for the lock.
  for (let i = 0; i < 20; i++) await far.do('isLocked')
  await victim.kill()
  guard.release()
  await t.notThrowsAsync(result)
})

test('a guard that is released during the wait is not taken again', async t => {
  using condition = Condition.create(null)
  const guard = await condition.lock()
  const waiting = condition.wait({ timeout: 20 })
  guard.release()
  await t.throwsAsync(waiting, { code: 'ERR_TIMEOUT' })
  t.false(condition.isLocked)
})

test('a wait that blocks this thread does not give the lock to another one of this thread', async t => {
  using condition = Condition.create(null)
  const guard = condition.lockSync()
  const behind = condition.lock()
  t.throws(() => condition.waitSync({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
  t.false(guard.isReleased)
  t.true(await isPending(behind))
  guard.release()
  ;(await behind).release()
})

test('an aborted signal ends waitFor before its predicate is called', async t => {
  using condition = Condition.create(null)
  using guard = await condition.lock()
  const signal = AbortSignal.abort(new Error('enough'))
  await t.throwsAsync(
    condition.waitFor(() => t.fail(), { signal }),
    { message: 'enough' },
  )
  t.false(guard.isReleased)
})

test('a predicate that is no function is refused', async t => {
  using condition = Condition.create(null)
  using _guard = await condition.lock()
  for (const wrong of [undefined, null, true] as never[]) {
    t.throws(() => condition.waitForSync(wrong), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(condition.waitFor(wrong), { code: 'ERR_INVALID_ARG' })
  }
})

test('only a synchronous predicate will do for waitForSync', async t => {
  using condition = Condition.create(null)
  using guard = await condition.lock()
  t.throws(() => condition.waitForSync(async () => false), {
    code: 'ERR_INVALID_ARG',
    message: /synchronous/,
  })
  t.false(guard.isReleased)
})

test('a condition that came true unnoticed is seen at the timeout', async t => {
  using condition = Condition.create(null)
  using _guard = await condition.lock()
  let calls = 0
  t.true(await condition.waitFor(() => ++calls === 2, { timeout: 10 }))
  calls = 0
  t.true(condition.waitForSync(() => ++calls === 2, { timeout: 10 }))
})
