import '../helpers/domain.js'
import ava from 'ava'
import { type Guard, RwLock } from 'crossmem'
import { testLock } from '../contracts/lock.js'
import { testObject } from '../contracts/object.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { type Distant, startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  RwLock,
  [],
  [
    lock => lock.read(),
    lock => lock.readSync(),
    lock => lock.tryRead(),
    lock => lock.withRead(() => undefined),
    lock => lock.write(),
    lock => lock.writeSync(),
    lock => lock.tryWrite(),
    lock => lock.withWrite(() => undefined),
  ],
)

testLock({
  kind: 'RwLock',
  create: () => RwLock.create(null),
  lock: 'write',
  lockSync: 'writeSync',
  tryLock: 'tryWrite',
  withLock: 'withWrite',
  again: 'refused',
  tells: true,
})

for (const place of places) {
  test(`many readers hold the lock at a time, without a writer: ${place}`, async t => {
    using lock = RwLock.create(null)
    const [a, b] = [await startPeer(t, place), await startPeer(t, place)]
    const [farA, farB] = [await a.open(lock), await b.open(lock)]
    const readers = [await farA.take('read'), await farA.take('readSync'), await farB.take('tryRead')]
    const mine = [lock.readSync(), await lock.read(), lock.tryRead() as Guard]
    t.is(lock.tryWrite(), undefined)
    t.is(await farB.do('tryWrite'), undefined)
    await t.throwsAsync(lock.write({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(farB.do('writeSync', { timeout: 20 }), { code: 'ERR_TIMEOUT' })
    t.truthy(await farB.do('tryRead'), 'nothing is left of those who gave up')
    for (const guard of mine) guard.release()
    const writing = lock.write()
    for (const reader of readers) {
      t.true(await isPending(writing))
      await reader.do('release')
    }
    await b.kill()
    const writer = await writing
    t.false(writer.ownerDied)
    t.is(await farA.do('tryRead'), undefined)
    t.is(await farA.do('tryWrite'), undefined)
    await t.throwsAsync(farA.do('readSync', { timeout: 20 }), { code: 'ERR_TIMEOUT' })
    const reading = await farA.begin<Distant>('read')
    writer.release()
    const reader = await reading.result
    await reader.do('release')
    await t.throwsAsync(reader.do('release'), { code: 'ERR_LOST_OWNERSHIP' })
  })

  for (const how of ['write', 'writeSync']) {
    test(`overlapping readers let a writer in: ${how}, ${place}`, async t => {
      using lock = RwLock.create(null)
      const there = await startPeer(t, place)
      const far = await there.open(lock)
      let reader = lock.readSync()
      const writing = await far.begin<Distant>(how)
      // A writer waits: any newcomer is behind it.
      const readers = [lock.read(), lock.read()]
      t.is(lock.tryRead(), undefined)
      for (let i = 0; i < 3; i++) {
        t.throws(() => lock.readSync({ timeout: 110 }), { code: 'ERR_TIMEOUT' }, 'longer than a slice')
      }
      reader.release()
      const writer = await writing.result
      t.true(await isPending(Promise.race(readers)))
      await writer.do('release')
      for (reader of await Promise.all(readers)) reader.release()
    })

    test(`a reader that dies is forgotten: ${how}, ${place}`, async t => {
      using lock = RwLock.create(null)
      const [dying, other] = [await startPeer(t, place), await startPeer(t, place)]
      const [reader, writer] = [await dying.open(lock), await other.open(lock)]
      await reader.do('read')
      await reader.do('read')
      const writing = await writer.begin<Distant>(how)
      await dying.kill()
      const held = await writing.result
      t.false(held.ownerDied)
      await held.do('release')
      t.false(lock.readSync().ownerDied)
    })
  }

  test(`a writer that dies is reported to readers and writers, until one says that all is whole: ${place}`, async t => {
    using lock = RwLock.create(null)
    const dying = await startPeer(t, place)
    const reading = await dying.open(lock)
    await reading.do('write')
    const waits = [lock.read(), lock.read()]
    t.true(await isPending(Promise.race(waits)))
    await dying.kill()
    const readers = await Promise.all(waits)
    for (const reader of readers) {
      t.true(reader.ownerDied)
      t.throws(() => reader.markConsistent(), { code: 'ERR_LOST_OWNERSHIP' }, 'only a writer can know')
      reader.release()
    }
    t.true(lock.tryRead()?.ownerDied)
    const other = await startPeer(t, place)
    const far = await other.open(lock)
    const theirs = await far.take('read')
    t.true(theirs.ownerDied)
    await theirs.do('release')
  })

  test(`closing while reading leaves nothing; while writing, the next one is told: ${place}`, async t => {
    using lock = RwLock.create(null)
    const there = await startPeer(t, place)
    const far = await there.open(lock)
    await far.do('read')
    await far.do('read')
    const writing = lock.write()
    t.true(await isPending(writing))
    await far.do('close')
    const writer = await writing
    t.false(writer.ownerDied)
    writer.release()
    const again = await there.open(lock)
    await again.do('write')
    await again.do('close')
    const told = lock.writeSync()
    t.true(told.ownerDied)
    told.markConsistent()
    t.false(told.ownerDied)
    told.release()
    t.false(lock.readSync().ownerDied)
  })
}

test('a holder that would wait for itself is refused, or waits behind itself', async t => {
  using lock = RwLock.create(null)
  const reader = lock.readSync()
  t.throws(() => lock.writeSync(), { code: 'ERR_DEADLOCK' })
  t.throws(() => lock.writeSync({ timeout: 600_000 }), { code: 'ERR_DEADLOCK' })
  t.is(lock.tryWrite(), undefined)
  await t.throwsAsync(lock.write({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
  const [first, second] = [lock.write(), lock.read()]
  t.true(await isPending(first))
  lock.readSync().release()
  reader.release()
  const writer = await first
  t.throws(() => lock.readSync(), { code: 'ERR_DEADLOCK' })
  t.is(lock.tryRead(), undefined)
  t.true(await isPending(second))
  writer.release()
  ;(await second).release()
})

test('withRead releases what it took, whatever the function does', async t => {
  using lock = RwLock.create(null)
  t.is(await lock.withRead(async () => (await lock.read()).release() ?? 7), 7)
  await t.throwsAsync(
    lock.withRead(() => Promise.reject(new Error('inside'))),
    { message: 'inside' },
  )
  {
    using reader = lock.readSync()
    t.throws(() => reader.markConsistent(), { code: 'ERR_LOST_OWNERSHIP' })
  }
  lock.writeSync().release()
})

test('a writer that gives up lets in the readers behind it', async t => {
  using lock = RwLock.create(null)
  const [a, b] = [await startPeer(t, 'process'), await startPeer(t, 'process')]
  const [reading, writing] = [await a.open(lock), await b.open(lock)]
  await reading.do('read')
  for (const how of ['write', 'writeSync']) {
    const vain = await writing.begin(how, { timeout: 300 })
    const reader = lock.read()
    await t.throwsAsync(vain.result, { code: 'ERR_TIMEOUT' })
    ;(await reader).release()
  }
})

test('an agent in the slot of a dead reader writes at once', async t => {
  using lock = RwLock.create(null)
  const dead = await startPeer(t, 'process')
  await (await dead.open(lock)).do('read')
  await dead.kill()
  const next = await startPeer(t, 'process')
  const far = await next.open(lock)
  t.false((await far.take('writeSync')).ownerDied)
})
