import ava from 'ava'
import { CrossmemError, type SyncWaitOptions, type WaitOptions } from 'crossmem'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { type Distant, startPeer } from '../processes/peers.js'
import type { AnyObject } from './object.js'

const test = ava.serial

/** What is held: a Guard or a Permit. */
export interface Held extends Disposable, AsyncDisposable {
  readonly isReleased: boolean
  release(): void
  readonly ownerDied?: boolean
  markConsistent?(): void
}

/** Whatever excludes others, and how its methods are called. */
export interface Lock {
  kind: string
  create(): AnyObject
  lock: string
  lockSync: string
  tryLock: string
  withLock: string
  /** Whether the thread that holds it is refused, has it again, or waits like others. */
  again: 'refused' | 'granted' | 'waits'
  /** Whether the next one is told of a holder's death. */
  tells: boolean
}

type Methods = {
  lock(options?: WaitOptions): Promise<Held>
  lockSync(options?: SyncWaitOptions): Held
  tryLock(): Held | undefined
  withLock<R>(act: (held: Held) => R | Promise<R>, options?: WaitOptions): Promise<R>
}

/** Its methods by the names that a Mutex has for them. */
export function methodsOf(lock: Lock, object: AnyObject): Methods {
  const call = (name: string) => (object as unknown as Record<string, unknown>)[name] as never as () => never
  return {
    lock: (...args) => call(lock.lock).apply(object, args as never),
    lockSync: (...args) => call(lock.lockSync).apply(object, args as never),
    tryLock: () => call(lock.tryLock).apply(object),
    withLock: (...args) => call(lock.withLock).apply(object, args as never),
  }
}

/** What is promised of everything that excludes others. */
export function testLock(lock: Lock): void {
  const { kind } = lock
  const make = () => {
    const object = lock.create()
    return { object, ...methodsOf(lock, object) }
  }

  for (const place of places) {
    test(`${kind}.${lock.lock}: another agent waits while one holds the lock: ${place}`, async t => {
      const { object, lockSync, tryLock, lock: wait } = make()
      using _ = object
      const there = await startPeer(t, place)
      const far = await there.open(object)
      for (const how of [lock.lock, lock.lockSync]) {
        const held = lockSync()
        t.is(await far.do(lock.tryLock), undefined)
        await t.throwsAsync(far.do(how, { timeout: 0 }), { code: 'ERR_TIMEOUT' })
        await t.throwsAsync(far.do(how, { timeout: 20 }), { code: 'ERR_TIMEOUT' })
        const waiting = await far.begin<Distant>(how)
        held.release()
        const theirs = await waiting.result
        t.is(tryLock(), undefined)
        t.throws(() => lockSync({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
        const mine = wait()
        t.true(await isPending(mine))
        await theirs.do('release')
        ;(await mine).release()
      }
      await (await far.take(lock.tryLock)).do('release')
      lockSync().release()
    })

    test(`${kind}.${lock.lock}: the lock survives its holder: ${place}`, async t => {
      const { object, lock: wait, lockSync, tryLock } = make()
      using _ = object
      for (const how of ['async', 'sync', 'try', 'sync without options'] as const) {
        const there = await startPeer(t, place)
        const far = await there.open(object)
        await far.take(lock.lockSync)
        t.is(tryLock(), undefined)
        if (how === 'async') {
          const mine = wait()
          t.true(await isPending(mine))
          await there.kill()
          const held = await mine
          t.is(Boolean(held.ownerDied), lock.tells, how)
          held.release()
        } else {
          await there.kill()
          const held = how === 'try' ? tryLock() : how === 'sync' ? lockSync({ timeout: 60_000 }) : lockSync()
          t.truthy(held, how)
          t.is(Boolean(held?.ownerDied), lock.tells, how)
          held?.release()
        }
        if (!lock.tells) continue
        const again = lockSync()
        t.true(again.ownerDied, 'no holder has repaired anything')
        again.release()
        const tried = tryLock() as Held
        t.true(tried.ownerDied)
        const other = await startPeer(t, place)
        const farAgain = await other.open(object)
        tried.release()
        const told = await farAgain.take(lock.lock)
        t.true(told.ownerDied)
        await told.do('markConsistent')
        await told.do('release')
        const clean = lockSync()
        t.false(clean.ownerDied)
        clean.release()
        await other.kill()
      }
    })

    test(`${kind}.${lock.lock}: a waiter in another agent survives the holder, too: ${place}`, async t => {
      const { object } = make()
      using _ = object
      for (const how of [lock.lock, lock.lockSync]) {
        const [holder, waiter] = [await startPeer(t, place), await startPeer(t, place)]
        const [there, elsewhere] = [await holder.open(object), await waiter.open(object)]
        await there.take(lock.lock)
        const waiting = await elsewhere.begin<Distant>(how)
        await holder.kill()
        const held = await waiting.result
        t.is(Boolean(held.ownerDied), lock.tells)
        if (lock.tells) await held.do('markConsistent')
        await held.do('release')
        await waiter.kill()
      }
    })

    test(`${kind}.${lock.lock}: a waiter that is killed takes nothing with it: ${place}`, async t => {
      const { object, lockSync } = make()
      using _ = object
      for (const how of [lock.lock, lock.lockSync]) {
        const [first, second] = [await startPeer(t, place), await startPeer(t, place)]
        const [one, two] = [await first.open(object), await second.open(object)]
        const held = lockSync()
        const doomed = await one.begin(how)
        const waiting = await two.begin<Distant>(how)
        await first.kill()
        await t.throwsAsync(doomed.result)
        held.release()
        const theirs = await waiting.result
        t.falsy(theirs.ownerDied)
        await theirs.do('release')
        lockSync().release()
        await second.kill()
      }
    })

    test(`${kind}.${lock.lock}: closing a held lock counts as the holder's death: ${place}`, async t => {
      const { object, lock: wait } = make()
      using _ = object
      const there = await startPeer(t, place)
      const far = await there.open(object)
      const theirs = await far.take(lock.lock)
      const mine = wait()
      t.true(await isPending(mine))
      await far.do('close')
      const held = await mine
      t.is(Boolean(held.ownerDied), lock.tells)
      t.true(await theirs.do('isReleased'))
      await t.throwsAsync(theirs.do('release'), { code: 'ERR_LOST_OWNERSHIP' })
      held.release()
    })

    test(`${kind}.${lock.lock}: waits for an unlinked lock fail: ${place}`, async t => {
      for (const how of [lock.lock, lock.lockSync]) {
        const { object, lockSync } = make()
        using _ = object
        const there = await startPeer(t, place)
        const far = await there.open(object)
        const held = lockSync()
        const waiting = await far.begin(how)
        object.unlink()
        await t.throwsAsync(waiting.result, { code: 'ERR_NOT_FOUND', message: /unlinked/ })
        held.release()
        const theirs = await far.take(lock.lock)
        t.false(await theirs.do('isReleased'), 'open handles go on working')
        await theirs.do('release')
      }
    })
  }

  test(`${kind}.${lock.lock}: invalid wait options are refused`, async t => {
    const { object, lock: wait, lockSync, withLock } = make()
    using _ = object
    for (const timeout of [-1, Number.NaN, '1', 1n, {}]) {
      await t.throwsAsync(wait({ timeout } as never), { code: 'ERR_INVALID_ARG' }, String(timeout))
      t.throws(() => lockSync({ timeout } as never), { code: 'ERR_INVALID_ARG' }, String(timeout))
    }
    await t.throwsAsync(wait({ signal: {} } as never), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(wait({ unref: 1 } as never), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(
      withLock(() => undefined, { timeout: -1 }),
      { code: 'ERR_INVALID_ARG' },
    )
    lockSync({ timeout: Number.POSITIVE_INFINITY }).release()
    ;(await wait({ timeout: Number.MAX_VALUE, unref: true, signal: new AbortController().signal })).release()
    ;(await wait({ timeout: 0 })).release()
    lockSync({ timeout: 0 }).release()
  })

  test(`${kind}.${lock.lock}: a guard releases once, whatever way`, async t => {
    const { object, lock: wait, lockSync, tryLock } = make()
    using _ = object
    const held = await wait()
    t.false(held.isReleased)
    held.release()
    t.true(held.isReleased)
    const error = t.throws(() => held.release(), { instanceOf: CrossmemError })
    t.is(error.code, 'ERR_LOST_OWNERSHIP')
    if (held.markConsistent) t.throws(() => held.markConsistent?.(), { code: 'ERR_LOST_OWNERSHIP' })
    held[Symbol.dispose]()
    await held[Symbol.asyncDispose]()
    {
      using inside = lockSync()
      t.false(inside.isReleased)
      if (lock.again === 'refused') t.is(tryLock(), undefined)
    }
    {
      await using inside = await wait()
      t.false(inside.isReleased)
    }
    {
      using inside = lockSync()
      inside.release()
    }
    t.throws(
      () => {
        using _inside = lockSync()
        throw new Error('inside')
      },
      { message: 'inside' },
    )
    await t.throwsAsync(
      async () => {
        await using _inside = await wait()
        throw new Error('inside')
      },
      { message: 'inside' },
    )
    const last = tryLock()
    t.truthy(last, 'each gave it back')
    last?.release()
  })

  test(`${kind}.${lock.withLock}: releases what it took, whatever the function does`, async t => {
    const { object, withLock, tryLock } = make()
    using _ = object
    for (const wrong of [undefined, null, 1] as never[]) {
      using _held = tryLock()
      await t.throwsAsync(withLock(wrong), { code: 'ERR_INVALID_ARG', message: /is a function/ })
    }
    t.is(await withLock(() => 5), 5)
    t.is(await withLock(async () => 6), 6)
    t.true(await withLock(held => !held.isReleased))
    await t.throwsAsync(
      withLock(() => {
        throw new Error('inside')
      }),
      { message: 'inside' },
    )
    await t.throwsAsync(
      withLock(() => Promise.reject(new Error('later'))),
      { message: 'later' },
    )
    t.is(await withLock(held => held.release()), undefined)
    const last = tryLock()
    t.truthy(last)
    last?.release()
  })

  for (const place of places) {
    test(`${kind}.${lock.lock}: signals and timeouts end a wait, and the others go on in order: ${place}`, async t => {
      const { object, lock: wait } = make()
      using _ = object
      const there = await startPeer(t, place)
      const far = await there.open(object)
      const theirs = await far.take(lock.lock)
      const reason = new Error('enough')
      await t.throwsAsync(wait({ signal: AbortSignal.abort(reason) }), { is: reason })
      await t.throwsAsync(wait({ signal: AbortSignal.abort() }), { any: true, name: 'AbortError' })
      const [first, second] = [new AbortController(), new AbortController()]
      const order: string[] = []
      const note = (name: string) => (held: Held) => {
        order.push(name)
        held.release()
      }
      const aborted = wait({ signal: first.signal })
      const kept = wait({ signal: second.signal, timeout: 600_000 }).then(note('kept'))
      const late = wait({ timeout: 30 })
      const last = wait().then(note('last'))
      t.true(await isPending(aborted))
      first.abort(reason)
      await t.throwsAsync(aborted, { is: reason })
      await t.throwsAsync(late, { code: 'ERR_TIMEOUT', message: /30 ms/ })
      t.true(await isPending(kept))
      await theirs.do('release')
      await Promise.all([kept, last])
      t.deepEqual(order, ['kept', 'last'])
      second.abort()
    })

    test(`${kind}.${lock.lock}: closing rejects the waits here, and leaves nothing held: ${place}`, async t => {
      const { object, lock: wait, lockSync } = make()
      const there = await startPeer(t, place)
      const far = await there.open(object)
      const held = lockSync()
      const waits = lock.again === 'granted' ? [] : [wait(), wait(), wait()]
      for (const pending of waits) t.true(await isPending(pending))
      object.close()
      for (const pending of waits) await t.throwsAsync(pending, { code: 'ERR_CLOSED' })
      t.true(held.isReleased)
      held[Symbol.dispose]()
      const theirs = await far.take(lock.lock)
      t.is(Boolean(theirs.ownerDied), lock.tells)
      await theirs.do('release')
    })

    test(`${kind}.${lock.lock}: closing rejects waits for a lock that another agent holds: ${place}`, async t => {
      const { object, lock: wait } = make()
      const there = await startPeer(t, place)
      const far = await there.open(object)
      const theirs = await far.take(lock.lock)
      const waits = [wait(), wait({ timeout: 600_000 }), wait({ signal: new AbortController().signal })]
      t.true(await isPending(waits[2] as Promise<unknown>))
      object.close()
      for (const pending of waits) await t.throwsAsync(pending, { code: 'ERR_CLOSED' })
      await theirs.do('release')
      const again = await far.take(lock.lock)
      t.falsy(again.ownerDied)
      await again.do('release')
    })
  }

  if (lock.again === 'refused') {
    test(`${kind}.${lock.lock}: a holder that asks again waits behind itself, or is refused`, async t => {
      const { object, lock: wait, lockSync, tryLock } = make()
      using _ = object
      const held = lockSync()
      t.throws(() => lockSync(), { code: 'ERR_DEADLOCK' })
      t.throws(() => lockSync({ timeout: 0 }), { code: 'ERR_DEADLOCK' })
      t.throws(() => lockSync({ timeout: 600_000 }), { code: 'ERR_DEADLOCK' })
      t.is(tryLock(), undefined)
      await t.throwsAsync(wait({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
      await t.throwsAsync(wait({ timeout: 10 }), { code: 'ERR_TIMEOUT' })
      const order: number[] = []
      const waits = Array.from({ length: 10 }, async (_, i) => {
        const mine = await wait()
        order.push(i)
        await new Promise(setImmediate)
        mine.release()
      })
      t.true(await isPending(Promise.race(waits)))
      held.release()
      await Promise.all(waits)
      t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    })
  }
}
