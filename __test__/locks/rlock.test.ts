import '../helpers/domain.js'
import ava from 'ava'
import { RLock } from 'crossmem'
import { testLock } from '../contracts/lock.js'
import { testObject } from '../contracts/object.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  RLock,
  [],
  [
    lock => lock.lock(),
    lock => lock.lockSync(),
    lock => lock.tryLock(),
    lock => lock.withLock(() => undefined),
    lock => lock.unlock(),
    lock => lock.isLocked,
  ],
)

testLock({
  kind: 'RLock',
  create: () => RLock.create(null),
  lock: 'lock',
  lockSync: 'lockSync',
  tryLock: 'tryLock',
  withLock: 'withLock',
  again: 'granted',
  tells: true,
})

for (const place of places) {
  test(`the holder takes it again and again, and it is free when all is released: ${place}`, async t => {
    using lock = RLock.create(null)
    const there = await startPeer(t, place)
    const far = await there.open(lock)
    const guards = [lock.lockSync(), await lock.lock(), lock.tryLock(), lock.lockSync({ timeout: 0 })]
    t.is(new Set(guards).size, 4)
    const waiting = await far.begin('lockSync')
    // In any order.
    for (const i of [1, 3, 0]) {
      guards[i]?.release()
      t.true(guards[i]?.isReleased)
      t.throws(() => guards[i]?.release(), { code: 'ERR_LOST_OWNERSHIP' })
      t.true(lock.isLocked)
      t.true(await isPending(waiting.result))
    }
    t.false(guards[2]?.isReleased)
    guards[2]?.release()
    await waiting.result
    t.is(lock.tryLock(), undefined)
    await far.do('tryLock')
    await far.do('unlock')
    t.is(lock.tryLock(), undefined, 'held once more')
    await far.do('unlock')
    await t.throwsAsync(far.do('unlock'), { code: 'ERR_LOST_OWNERSHIP' })
    lock.lockSync().release()
  })
}

test('unlock releases the last guard; without one it is refused', t => {
  using lock = RLock.create(null)
  t.throws(() => lock.unlock(), { code: 'ERR_LOST_OWNERSHIP' })
  const [first, second] = [lock.lockSync(), lock.lockSync()]
  lock.unlock()
  t.deepEqual([first.isReleased, second.isReleased], [false, true])
  lock.unlock()
  t.true(first.isReleased)
  t.throws(() => lock.unlock(), { code: 'ERR_LOST_OWNERSHIP' })
  t.false(lock.isLocked)
})

test('blocks nest, also when they throw', async t => {
  using lock = RLock.create(null)
  await t.throwsAsync(
    lock.withLock(() => lock.withLock(() => Promise.reject(new Error('inside')))),
    { message: 'inside' },
  )
  t.false(lock.isLocked)
})

test('closing releases all guards, and the next holder is told', async t => {
  const lock = RLock.create(null)
  const there = await startPeer(t, 'thread')
  const far = await there.open(lock)
  const guards = [lock.lockSync(), lock.lockSync(), lock.lockSync()]
  lock.close()
  for (const guard of guards) {
    t.true(guard.isReleased)
    t.throws(() => guard.release(), { code: 'ERR_LOST_OWNERSHIP' })
    guard[Symbol.dispose]()
  }
  t.true((await far.take('lock')).ownerDied)
})

test('all guards of a dead holder’s successor say so, until it is whole again', async t => {
  using lock = RLock.create(null)
  const there = await startPeer(t, 'process')
  const far = await there.open(lock)
  await far.do('lock')
  await far.do('lock')
  await there.kill()
  const [first, second] = [lock.lockSync(), lock.lockSync()]
  t.deepEqual([first.ownerDied, second.ownerDied], [true, true])
  second.markConsistent()
  const third = lock.lockSync()
  t.deepEqual([second.ownerDied, third.ownerDied], [false, false])
  for (const guard of [first, second, third]) guard.release()
  t.false(lock.lockSync().ownerDied)
})

test('waiters of one thread get a reentrant lock together', async t => {
  using lock = RLock.create(null)
  const there = await startPeer(t, 'process')
  const theirs = await (await there.open(lock)).take('lock')
  const waits = [lock.lock(), lock.lock(), lock.lock()]
  t.true(await isPending(Promise.race(waits)))
  await theirs.do('release')
  for (const guard of await Promise.all(waits)) guard.release()
  t.false(lock.isLocked)
  await t.throwsAsync(
    lock.withLock(() => lock.lock({ signal: AbortSignal.abort(new Error('enough')) })),
    { message: 'enough' },
  )
})
