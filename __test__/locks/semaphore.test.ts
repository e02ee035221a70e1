import '../helpers/domain.js'
import ava from 'ava'
import { Permit, Semaphore } from 'crossmem'
import { testLock } from '../contracts/lock.js'
import { testObject } from '../contracts/object.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { type Distant, startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  Semaphore,
  [2],
  [
    semaphore => semaphore.acquire(),
    semaphore => semaphore.acquireSync(),
    semaphore => semaphore.tryAcquire(),
    semaphore => semaphore.withPermit(() => undefined),
    semaphore => semaphore.release(),
    semaphore => semaphore.value,
    semaphore => semaphore.max,
  ],
)

testLock({
  kind: 'Semaphore',
  create: () => Semaphore.create(null, 1),
  lock: 'acquire',
  lockSync: 'acquireSync',
  tryLock: 'tryAcquire',
  withLock: 'withPermit',
  again: 'waits',
  tells: false,
})

test('permits are counted, and impossible counts are refused', t => {
  const wrong = [-1, 0.5, Number.NaN, '1', 2 ** 31]
  for (const count of wrong) {
    t.throws(() => Semaphore.create(null, count as never), { code: 'ERR_INVALID_ARG' }, String(count))
  }
  for (const max of [0, ...wrong]) {
    t.throws(() => Semaphore.create(null, 0, { max: max as never }), { code: 'ERR_INVALID_ARG' }, String(max))
  }
  t.throws(() => Semaphore.create(null, 3, { max: 2 }), { code: 'ERR_INVALID_ARG' })
  using semaphore = Semaphore.create(null, 2)
  for (const count of [0, ...wrong]) {
    t.throws(() => semaphore.release(count as never), { code: 'ERR_INVALID_ARG' }, String(count))
  }
  t.deepEqual([semaphore.value, semaphore.max], [2, 2 ** 31 - 1])
  const permits = [semaphore.acquireSync(), semaphore.acquireSync()]
  t.true(permits[0] instanceof Permit)
  t.is(semaphore.value, 0)
  t.is(semaphore.tryAcquire(), undefined)
  t.throws(() => semaphore.acquireSync({ timeout: 5 }), { code: 'ERR_TIMEOUT' })
  for (const permit of permits) permit.release()
  t.is(semaphore.value, 2)
  using byDefault = Semaphore.create(null)
  t.is(byDefault.value, 1)
})

test('one that exists with another max is refused', t => {
  const name = unique('max')
  using _semaphore = Semaphore.openOrCreate(name, 1, { max: 4 })
  t.throws(() => Semaphore.openOrCreate(name), { code: 'ERR_INVALID_ARG', message: /at most 4/ })
  t.throws(() => Semaphore.openOrCreate(name, 1, { max: 5 }), { code: 'ERR_INVALID_ARG' })
  using again = Semaphore.openOrCreate(name, 3, { max: 4 })
  t.is(again.value, 1)
})

test('release gives back held permits, the oldest first, and then makes new ones', t => {
  using semaphore = Semaphore.create(null, 3, { max: 5 })
  const [first, second, third] = [semaphore.acquireSync(), semaphore.acquireSync(), semaphore.acquireSync()]
  semaphore.release(2)
  t.deepEqual([first.isReleased, second.isReleased, third.isReleased], [true, true, false])
  t.is(semaphore.value, 2)
  t.throws(() => first.release(), { code: 'ERR_LOST_OWNERSHIP' })
  semaphore.release(3)
  t.true(third.isReleased)
  t.is(semaphore.value, 5)
  t.throws(() => semaphore.release(), { code: 'ERR_OUT_OF_RANGE' })
  const held = semaphore.acquireSync()
  t.throws(() => semaphore.release(2), { code: 'ERR_OUT_OF_RANGE' })
  t.false(held.isReleased, 'nothing was released')
  t.is(semaphore.value, 4)
  held.release()
  t.is(semaphore.value, 5)
})

test('a bounded one is never beyond its permits at first', async t => {
  using bounded = Semaphore.create(null, 2, { max: 2 })
  t.throws(() => bounded.release(), { code: 'ERR_OUT_OF_RANGE', message: /once/ })
  const permit = await bounded.acquire()
  permit.release()
  t.throws(() => permit.release(), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => bounded.release(), { code: 'ERR_OUT_OF_RANGE' })
  t.is(bounded.value, 2)
})

for (const place of places) {
  test(`as many as there are permits are inside: ${place}`, async t => {
    using semaphore = Semaphore.create(null, 3)
    const there = await startPeer(t, place)
    const far = await there.open(semaphore)
    const theirs = [await far.take('acquire'), await far.take('acquireSync')]
    t.is(semaphore.value, 1)
    const mine = semaphore.acquireSync()
    t.is(await far.do('tryAcquire'), undefined)
    const waits = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()]
    t.true(await isPending(Promise.race(waits)))
    await theirs[0]?.do('release')
    ;(await waits[0])?.release()
    ;(await waits[1])?.release()
    mine.release()
    ;(await waits[2])?.release()
    t.is(await far.do('value'), 2)
  })

  test(`one that releases many wakes many: ${place}`, async t => {
    using semaphore = Semaphore.create(null, 0)
    const [a, b] = [await startPeer(t, place), await startPeer(t, place)]
    const [farA, farB] = [await a.open(semaphore), await b.open(semaphore)]
    const waits = [
      await farA.begin<Distant>('acquire'),
      await farA.begin<Distant>('acquire'),
      await farB.begin<Distant>('acquireSync'),
    ]
    const mine = semaphore.acquire()
    semaphore.release(4)
    await mine
    await Promise.all(waits.map(({ result }) => result))
    t.is(semaphore.value, 0)
    semaphore.release(7)
    t.is(semaphore.value, 7, 'one was mine, the rest are new')
  })

  test(`held permits of a dead process return, but not those it made or used up: ${place}`, async t => {
    using semaphore = Semaphore.create(null, 5)
    const there = await startPeer(t, place)
    const far = await there.open(semaphore)
    const permits = [await far.take('acquire'), await far.take('acquire'), await far.take('acquire')]
    await permits[0]?.do('consume')
    await t.throwsAsync(permits[0]?.do('release') as Promise<unknown>, { code: 'ERR_LOST_OWNERSHIP' })
    t.is(semaphore.value, 2)
    await there.kill()
    t.is(semaphore.value, 4)
    const other = await startPeer(t, place)
    await (await other.open(semaphore)).do('release', 3)
    await other.kill()
    t.is(semaphore.value, 7)
  })

  test(`one process uses up permits that another one makes: ${place}`, async t => {
    using things = Semaphore.create(null, 0)
    const there = await startPeer(t, place)
    const far = await there.open(things)
    for (let i = 0; i < 100; i++) {
      const waiting = things.acquire()
      await far.do('release')
      ;(await waiting).consume()
    }
    t.is(things.value, 0)
    await far.do('release')
    const permit = things.acquireSync()
    permit.consume()
    t.true(permit.isReleased)
    t.throws(() => permit.consume(), { code: 'ERR_LOST_OWNERSHIP' })
    t.throws(() => permit.release(), { code: 'ERR_LOST_OWNERSHIP' })
    permit[Symbol.dispose]()
    t.is(things.value, 0)
  })

  for (const how of ['acquire', 'acquireSync']) {
    test(`a waiter for a permit is told that no other process is left: ${how}, ${place}`, async t => {
      const semaphore = Semaphore.create(null, 0)
      const [maker, waiter] = [await startPeer(t, place), await startPeer(t, place)]
      await maker.open(semaphore)
      const far = await waiter.open(semaphore)
      const waiting = await far.begin(how)
      semaphore.close()
      t.true(await isPending(waiting.result))
      await maker.kill()
      await t.throwsAsync(waiting.result, { code: 'ERR_PEER_DIED', message: /nothing can end this wait/ })
      await t.throwsAsync(far.do(how, { timeout: 150 }), { code: 'ERR_TIMEOUT' }, 'others may come')
      await far.do('release')
      await far.take(how)
    })
  }
}

test('a permit that is here is something to wait for', async t => {
  using semaphore = Semaphore.create(null, 1)
  const there = await startPeer(t, 'process')
  await there.open(semaphore)
  const permit = semaphore.acquireSync()
  const waiting = semaphore.acquire()
  t.true(await isPending(waiting))
  await there.kill()
  await t.throwsAsync(semaphore.acquire({ timeout: 300 }), { code: 'ERR_TIMEOUT' })
  t.true(await isPending(waiting))
  permit.release()
  ;(await waiting).release()
  t.is(semaphore.value, 1)
})

test('closing gives back the permits that are held here', async t => {
  const semaphore = Semaphore.create(null, 4)
  using other = Semaphore.open(semaphore.name)
  const there = await startPeer(t, 'process')
  const far = await there.open(semaphore)
  const permits = [await semaphore.acquire(), other.acquireSync()]
  semaphore.close()
  t.is(other.value, 2, 'there is another handle')
  t.false(permits[0]?.isReleased)
  other.close()
  for (const permit of permits) t.true(permit.isReleased)
  t.is(await far.do('value'), 4)
})
