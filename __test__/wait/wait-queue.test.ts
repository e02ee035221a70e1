import '../helpers/domain.js'
import ava from 'ava'
import { Barrier, Condition, Event, list, Mutex, RLock, RwLock, Semaphore } from 'crossmem'
import type { Costs } from '../fixtures/wait/wait-ten-thousandfold.js'
import { isPending } from '../helpers/pending.js'
import { gone, message, start } from '../processes/children.js'
import { places } from '../processes/hire.js'
import { type Distant, startPeer } from '../processes/peers.js'

const test = ava.serial
const onWindows = process.platform === 'win32'

test('ten thousand waits for a hundred locks: no thread, little heap, in order, and then the process ends', async t => {
  const mutexes = Array.from({ length: 100 }, () => Mutex.create(null))
  const guards = mutexes.map(mutex => mutex.lockSync())
  const child = start('wait/wait-ten-thousandfold', ...mutexes.map(mutex => mutex.name))
  const { heapPerWait, threads } = await message<Costs>(child)
  t.log(`${heapPerWait.toFixed(0)} bytes of heap per wait`)
  t.is(threads, 0)
  t.true(heapPerWait < 1024, `${heapPerWait} bytes of heap per wait`)
  const served = message<number[][]>(child)
  for (const guard of guards) guard.release()
  const turns = await served
  t.deepEqual(
    turns,
    mutexes.map((_, first) => Array.from({ length: 100 }, (_, turn) => first + 100 * turn)),
  )
  t.deepEqual(await gone(child), { code: 0, signal: null })
  for (const mutex of mutexes) {
    t.false(mutex.isLocked)
    mutex.close()
  }
  t.deepEqual(list(), [])
})

for (const place of places) {
  test(`a pending wait keeps a ${place} alive, unless it is unref`, async t => {
    using mutex = Mutex.create(null)
    const guard = mutex.lockSync()
    const [staying, leaving] = [await startPeer(t, place), await startPeer(t, place)]
    const ends = [staying.hired.gone(), leaving.hired.gone()]
    for (const [peer, options] of [
      [leaving, { unref: true }],
      [staying, {}],
    ] as const) {
      const far = await peer.open(mutex)
      await peer.it('deeds').do('exitWith7After', far, options)
    }
    t.is((await ends[1])?.code, 0)
    t.true(await isPending(ends[0] as Promise<unknown>))
    guard.release()
    t.is((await ends[0])?.code, 7)
    const next = mutex.lockSync()
    t.true(next.ownerDied, 'it ended without releasing')
  })
}

test('one AbortSignal for a thousand waits prints no warning', async t => {
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  using mutex = Mutex.create(null)
  using event = Event.create(null)
  mutex.lockSync()
  const controller = new AbortController()
  const { signal } = controller
  const waits = Array.from({ length: 1000 }, (_, i) =>
    i % 2 ? mutex.lock({ signal }) : event.wait({ signal }),
  )
  t.true(await isPending(Promise.race(waits)))
  const reason = new Error('enough')
  controller.abort(reason)
  for (const wait of waits) await t.throwsAsync<Error>(wait as Promise<unknown>, { is: reason })
  await new Promise(setImmediate)
  t.deepEqual(warnings, [])
})

test('many timeouts at once, and one that is longer than timers can be', async t => {
  using mutex = Mutex.create(null)
  const guard = mutex.lockSync()
  const long = mutex.lock({ timeout: 1e12 })
  const waits = Array.from({ length: 130_000 }, (_, i) => mutex.lock({ timeout: 1 + (i % 50) }))
  const ends = await Promise.allSettled(waits)
  t.true(ends.every(end => end.status === 'rejected' && end.reason.code === 'ERR_TIMEOUT'))
  t.true(await isPending(long))
  guard.release()
  ;(await long).release()
})

test('the waits that are left get what other agents hold, in order', async t => {
  using mutex = Mutex.create(null)
  const there = await startPeer(t, 'process')
  const theirs = await (await there.open(mutex)).take('lock')
  const controllers = Array.from({ length: 100 }, () => new AbortController())
  const turns: number[] = []
  const waits = controllers.map(async ({ signal }, i) => {
    const guard = await mutex.lock({ signal })
    turns.push(i)
    guard.release()
  })
  for (const [i, controller] of controllers.entries()) if (i % 3 !== 1) controller.abort()
  await theirs.do('release')
  await Promise.allSettled(waits)
  t.deepEqual(
    turns,
    controllers.map((_, i) => i).filter(i => i % 3 === 1),
  )
})

/** Every class, and how a wait of it is made that lasts. */
const waitable = [
  { make: () => Mutex.create(null), block: (lock: Mutex) => lock.lockSync(), wait: 'lock' },
  { make: () => RLock.create(null), block: (lock: RLock) => lock.lockSync(), wait: 'lock' },
  { make: () => RwLock.create(null), block: (lock: RwLock) => lock.writeSync(), wait: 'read' },
  { make: () => RwLock.create(null), block: (lock: RwLock) => lock.readSync(), wait: 'write' },
  { make: () => Semaphore.create(null, 1), block: (lock: Semaphore) => lock.acquireSync(), wait: 'acquire' },
  { make: () => Condition.create(null), block: (lock: Condition) => lock.lockSync(), wait: 'lock' },
  { make: () => Condition.create(null), wait: 'wait', within: 'lock' },
  { make: () => Event.create(null), wait: 'wait' },
  { make: () => Barrier.create(null, 3), wait: 'wait' },
] as {
  make(): Mutex | RLock | RwLock | Semaphore | Condition | Event | Barrier
  block?(object: unknown): Disposable
  wait: string
  within?: string
}[]

for (const { make, block, wait, within } of waitable) {
  for (const place of places) {
    for (const how of [wait, `${wait}Sync`]) {
      using named = make()
      test(`${named.crossmem}.${how}: a waiter that is killed leaves no trace: ${place}`, async t => {
        const object = make()
        const held = block?.(object)
        const there = await startPeer(t, place)
        const far = await there.open(object)
        if (within) await far.do(within)
        await far.begin<Distant>(how)
        await there.kill()
        held?.[Symbol.dispose]()
        if (object instanceof Condition) {
          using guard = object.lockSync()
          t.false(guard.ownerDied)
          t.is(object.notifyAll(), 0)
        } else if (object instanceof Barrier) {
          await t.throwsAsync(object.wait(), { code: 'ERR_BROKEN_BARRIER' })
        } else if (object instanceof Semaphore) {
          t.is(object.value, 1)
        } else if (object instanceof RwLock) {
          using guard = object.writeSync()
          t.false(guard.ownerDied)
        } else if (!(object instanceof Event)) {
          using guard = object.lockSync()
          t.false(guard.ownerDied)
        }
        object.close()
        t.deepEqual(list(), [])
      })
    }
  }
}

for (const end of ['process.exit', 'deeds.throw', 'deeds.reject', 'deeds.hangUp']) {
  for (const place of places) {
    test(`a ${place} that ends while it holds, and while it waits: ${end}`, async t => {
      using held = Mutex.create(null)
      using waited = Mutex.create(null)
      using semaphore = Semaphore.create(null, 2)
      const guard = waited.lockSync()
      const there = await startPeer(t, place)
      await (await there.open(held)).take('lock')
      await (await there.open(semaphore)).take('acquire')
      await (await there.open(waited)).begin('lock', { unref: true })
      const mine = held.lock()
      t.true(await isPending(mine))
      const [on, call] = end.split('.') as [string, string]
      const gone = there.hired.gone()
      await there
        .it(on)
        .do(call, ...(end === 'process.exit' ? [3] : []))
        .catch(() => undefined)
      const code = end === 'process.exit' ? 3 : end === 'deeds.hangUp' ? 0 : 1
      t.is((await gone).code, code)
      t.true((await mine).ownerDied)
      t.is(semaphore.value, 2)
      guard.release()
      t.false(waited.lockSync().ownerDied)
    })
  }
}

if (onWindows) {
  test.skip('a stopped holder is not a dead one (skipped: Windows has no SIGSTOP)', () => undefined)
} else {
  test('a stopped holder is not a dead one', async t => {
    using mutex = Mutex.create(null)
    using lock = RwLock.create(null)
    using semaphore = Semaphore.create(null, 1)
    const there = await startPeer(t, 'process')
    const guard = await (await there.open(mutex)).take('lock')
    const writing = await (await there.open(lock)).take('write')
    const permit = await (await there.open(semaphore)).take('acquire')
    there.hired.signal('SIGSTOP')
    t.is(mutex.tryLock(), undefined)
    t.throws(() => mutex.lockSync({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(mutex.lock({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(lock.read({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(lock.write({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(semaphore.acquire({ timeout: 200 }), { code: 'ERR_TIMEOUT' })
    const waiting = mutex.lock()
    there.hired.signal('SIGCONT')
    t.false(await guard.do('isReleased'))
    t.true(mutex.isLocked)
    for (const held of [guard, writing, permit]) await held.do('release')
    t.false((await waiting).ownerDied)
    t.false(lock.writeSync().ownerDied)
    t.is(semaphore.value, 1)
  })
}
