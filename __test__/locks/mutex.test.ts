import '../helpers/domain.js'
import ava from 'ava'
import { Guard, Mutex, SharedMemory } from 'crossmem'
import { testLock } from '../contracts/lock.js'
import { testObject } from '../contracts/object.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  Mutex,
  [],
  [
    mutex => mutex.lock(),
    mutex => mutex.lockSync(),
    mutex => mutex.tryLock(),
    mutex => mutex.withLock(() => undefined),
    mutex => mutex.unlock(),
    mutex => mutex.isLocked,
  ],
)

testLock({
  kind: 'Mutex',
  create: () => Mutex.create(null),
  lock: 'lock',
  lockSync: 'lockSync',
  tryLock: 'tryLock',
  withLock: 'withLock',
  again: 'refused',
  tells: true,
})

test('unlock releases only the guard of this thread', async t => {
  using mutex = Mutex.create(null)
  t.throws(() => mutex.unlock(), { code: 'ERR_LOST_OWNERSHIP' })
  const guard = mutex.lockSync()
  t.true(guard instanceof Guard)
  t.true(mutex.isLocked)
  mutex.unlock()
  t.false(mutex.isLocked)
  t.true(guard.isReleased)
  t.throws(() => mutex.unlock(), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => guard.release(), { code: 'ERR_LOST_OWNERSHIP' })
  for (const place of places) {
    const there = await startPeer(t, place)
    const far = await there.open(mutex)
    const theirs = await far.take('lock')
    t.true(mutex.isLocked)
    t.throws(() => mutex.unlock(), { code: 'ERR_LOST_OWNERSHIP' })
    t.true(mutex.isLocked)
    await theirs.do('release')
    const mine = await mutex.lock()
    await t.throwsAsync(far.do('unlock'), { code: 'ERR_LOST_OWNERSHIP' })
    t.false(mine.isReleased)
    mine.release()
    await there.kill()
  }
})

test('an old guard is not the next one’s', t => {
  using mutex = Mutex.create(null)
  const old = mutex.lockSync()
  old.release()
  const next = mutex.lockSync()
  t.throws(() => old.release(), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => old.markConsistent(), { code: 'ERR_LOST_OWNERSHIP' })
  old[Symbol.dispose]()
  t.true(mutex.isLocked)
  t.false(next.isReleased)
})

test('all handles of one thread are one lock, released with the last', async t => {
  const first = Mutex.create(null)
  const second = Mutex.open(first.name)
  const guard = first.lockSync()
  t.is(second.tryLock(), undefined)
  t.throws(() => second.lockSync(), { code: 'ERR_DEADLOCK' })
  const waiting = second.lock()
  t.true(await isPending(waiting))
  first.close()
  t.false(guard.isReleased, 'the other handle is open')
  t.true(second.isLocked)
  guard.release()
  const held = await waiting
  t.false(held.ownerDied)
  second.unlock()
  t.true(held.isReleased)
  second.close()
})

test('any holder may declare the guarded data consistent', async t => {
  using mutex = Mutex.create(null)
  const there = await startPeer(t, 'process')
  await (await there.open(mutex)).take('lock')
  await there.kill()
  const guard = mutex.lockSync()
  t.true(guard.ownerDied)
  guard.markConsistent()
  t.false(guard.ownerDied)
  guard.release()
  t.false(mutex.lockSync().ownerDied)
})

test('a holder that dies again before the repair is reported again', async t => {
  using mutex = Mutex.create(null)
  for (let i = 0; i < 3; i++) {
    const there = await startPeer(t, 'process')
    const guard = await (await there.open(mutex)).take('lock')
    t.is(guard.ownerDied, i > 0)
    await there.kill()
  }
  const guard = mutex.tryLock()
  t.true(guard?.ownerDied)
  guard?.markConsistent()
  guard?.release()
  const there = await startPeer(t, 'process')
  const next = await (await there.open(mutex)).take('lock')
  t.false(next.ownerDied)
})

test('a lock excludes: ten tasks here and one in each other place count together', async t => {
  using mutex = Mutex.create(null)
  using memory = SharedMemory.create(null, 8)
  const counter = new Int32Array(memory.buffer)
  const tasks = Array.from({ length: 10 }, async () => {
    for (let i = 0; i < 100; i++) {
      await mutex.withLock(async () => {
        const before = counter[0] as number
        await null
        counter[0] = before + 1
      })
    }
  })
  await Promise.all(tasks)
  t.is(counter[0], 1000)
})
