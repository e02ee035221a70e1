import { isDeepStrictEqual } from 'node:util'
import ava from 'ava'
import { list, type Message, open } from 'crossmem'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'
import {
  type AnyQueue,
  badAsyncWaits,
  badCounts,
  badWaits,
  methodsOf,
  namesOf,
  type Options,
  type QueueClass,
  range,
} from './queue-class.js'

const test = ava.serial

/** What is promised of all queues of many producers and consumers. */
export function testQueue(Class: QueueClass): void {
  const { kind, item, done = () => undefined, hasRecords = false, mostCapacity = 2 ** 22 } = Class
  const names = namesOf(Class)
  const items = (length: number, from = 0) => range(length, from).map(item)
  const make = (options?: Options) => {
    const queue = Class.create(options)
    const methods = methodsOf(Class, queue)
    /** Takes out what is there, and is done with it. */
    const drain = () => {
      const all = methods.tryGetMany(100_000)
      for (const _ of all) done(queue)
      return all
    }
    return { queue, drain, ...methods }
  }

  test(`${kind}: whatever way items go in and come out, they are in order`, async t => {
    const { queue, put, putSync, tryPut, putMany, putManySync, tryPutMany, ...made } = make()
    using _ = queue
    const { get, getSync, tryGet, getMany, getManySync, tryGetMany } = made
    t.deepEqual([queue.isEmpty, queue.isFull, queue.size, queue.isEnded], [true, false, 0, false])
    await put(item(0))
    putSync(item(1))
    t.true(tryPut(item(2)))
    await putMany(items(3, 3))
    putManySync(items(3, 6))
    t.is(tryPutMany(items(3, 9)), 3)
    await put(item(12), { timeout: 0 })
    putSync(item(13), { timeout: 0 })
    t.deepEqual([queue.isEmpty, queue.isFull, queue.size], [false, false, 14])
    t.deepEqual(
      [
        await get(),
        getSync(),
        tryGet(),
        await getMany(3),
        getManySync(2),
        tryGetMany(2),
        await get({ timeout: 0 }),
        getSync({ timeout: 0 }),
        await getMany(100),
      ],
      [...items(3), items(3, 3), items(2, 6), items(2, 8), item(10), item(11), items(2, 12)],
    )
    t.deepEqual([tryGet(), tryGetMany(1), queue.size], [undefined, [], 0])
    await putMany([])
    putManySync([])
    t.is(tryPutMany([]), 0)
    t.true(queue.isEmpty)
  })

  for (const capacity of [1, 2, 64, 65_536]) {
    test(`${kind}: there is room for ${capacity}`, async t => {
      const { queue, putSync, put, tryPut, tryPutMany, putMany, getSync, drain } = make({
        capacity,
        messageBytes: 8,
      })
      using _ = queue
      t.is(queue.capacity, capacity)
      if (!hasRecords) t.deepEqual([queue.messageBytes, queue.redeliver], [8, false])
      for (let round = 0; round < 3; round++) {
        t.is(tryPutMany(items(capacity + 1)), capacity)
        t.deepEqual([queue.size, queue.isFull, queue.isEmpty], [capacity, true, false])
        t.false(tryPut(item(0)))
        t.is(tryPutMany(items(2)), 0)
        t.throws(() => putSync(item(0), { timeout: 1 }), { code: 'ERR_TIMEOUT' })
        await t.throwsAsync(put(item(0), { timeout: 1 }), { code: 'ERR_TIMEOUT' })
        await t.throwsAsync(putMany(items(2), { timeout: 0 }), { code: 'ERR_TIMEOUT' })
        t.deepEqual(getSync(), item(0))
        done(queue)
        t.true(tryPut(item(capacity)))
        t.true(isDeepStrictEqual(drain(), items(capacity, 1)))
        t.true(queue.isEmpty)
      }
    })
  }

  test(`${kind}: waiters for an item here are served in order, whatever ends the other waits`, async t => {
    const { queue, get, getMany, putManySync, tryPut } = make()
    using _ = queue
    const reason = new Error('enough')
    const controller = new AbortController()
    const waits = [
      get(),
      get({ signal: controller.signal }),
      get({ timeout: 1 }),
      getMany(2),
      get({ unref: true }),
      get(),
    ]
    for (const wait of waits) wait.catch(() => undefined)
    await t.throwsAsync(waits[2] as Promise<unknown>, { code: 'ERR_TIMEOUT' })
    controller.abort(reason)
    await t.throwsAsync(waits[1] as Promise<unknown>, { is: reason })
    await t.throwsAsync(get({ signal: controller.signal }), { is: reason })
    t.true(await isPending(Promise.race([waits[0], waits[3], waits[4], waits[5]])))
    putManySync(items(5))
    const served = await Promise.all([waits[0], waits[3], waits[4], waits[5]])
    t.deepEqual(served, [item(0), items(2, 1), item(3), item(4)])
    const byDefault = get({ signal: AbortSignal.abort() })
    await t.throwsAsync(byDefault, { any: true, name: 'AbortError' })
    t.true(tryPut(item(5)))
    await t.throwsAsync(get({ signal: controller.signal }), { is: reason })
    t.is(queue.size, 1, 'the aborted wait took nothing')
  })

  test(`${kind}: waiters for room here are served in order, whatever ends the other waits`, async t => {
    const { queue, get, put, putMany, tryPut, tryPutMany } = make({ capacity: 2 })
    using _ = queue
    t.is(tryPutMany(items(2)), 2)
    const controller = new AbortController()
    const puts = [
      put(item(2)),
      put(item(-1), { signal: controller.signal }),
      put(item(-1), { timeout: 1 }),
      putMany(items(3, 3)),
      put(item(6), { unref: true }),
    ]
    for (const wait of puts) wait.catch(() => undefined)
    controller.abort()
    await t.throwsAsync(puts[1] as Promise<void>, { any: true, name: 'AbortError' })
    await t.throwsAsync(puts[2] as Promise<void>, { code: 'ERR_TIMEOUT' })
    t.true(await isPending(Promise.race([puts[0], puts[3], puts[4]])))
    t.false(tryPut(item(-1)))
    const got: unknown[] = []
    for (let i = 0; i < 7; i++) {
      got.push(await get())
      done(queue)
    }
    await Promise.all([puts[0], puts[3], puts[4]])
    const turns = got.map(one => items(7).findIndex(other => JSON.stringify(other) === JSON.stringify(one)))
    t.deepEqual(
      turns.filter(turn => turn !== 6),
      range(6),
    )
    t.true(turns.includes(6))
  })

  test(`${kind}: a blocking get takes what its own thread is waiting to put, and a blocking put serves its own gets`, async t => {
    const { queue, get, getSync, put, putSync } = make({ capacity: 1 })
    using _ = queue
    const puts = [put(item(0)), put(item(1)), put(item(2))]
    for (let i = 0; i < 3; i++) {
      t.deepEqual(getSync(), item(i))
      done(queue)
    }
    await Promise.all(puts)
    const gets = [get(), get(), get()]
    gets.push(get())
    for (let i = 3; i < 7; i++) {
      putSync(item(i))
      // Without this the next one would wait for `taskDone()`.
      t.deepEqual(await gets[i - 3], item(i))
      done(queue)
    }
    t.true(queue.isEmpty)
  })

  test(`${kind}: options, waits and numbers that cannot be are refused`, async t => {
    const wrongOptions: { [Option in keyof Options]: unknown[] } = {
      capacity: [0, -1, 1.5, Number.NaN, '1', null, mostCapacity + 1],
      ...(!hasRecords && {
        messageBytes: [-1, 1.5, Number.NaN, '1', null, 2 ** 30 + 1],
        redeliver: [0, 'yes', null],
      }),
    }
    for (const [option, values] of Object.entries(wrongOptions)) {
      for (const value of values) {
        t.throws(() => make({ [option]: value }), { code: 'ERR_INVALID_ARG' }, `${option}: ${String(value)}`)
      }
    }
    const { queue, put, putSync, tryPut, ...made } = make()
    using _ = queue
    const { putMany, putManySync, tryPutMany, get, getSync, getMany, getManySync, tryGetMany } = made
    t.true(tryPut(item(0)))
    for (const wait of badAsyncWaits as never[]) {
      const receiving = hasRecords ? [] : [queue.receive(wait)]
      for (const refused of [put(item(0), wait), get(wait), getMany(1, wait), ...receiving]) {
        await t.throwsAsync(refused, { code: 'ERR_INVALID_ARG' }, JSON.stringify(wait))
      }
    }
    for (const wait of badWaits as never[]) {
      for (const call of [
        () => putSync(item(0), wait),
        () => getSync(wait),
        () => getManySync(1, wait),
        ...(hasRecords ? [] : [() => queue.receiveSync(wait)]),
      ]) {
        t.throws(call, { code: 'ERR_INVALID_ARG' }, `${call} ${JSON.stringify(wait)}`)
      }
    }
    for (const max of badCounts as never[]) {
      t.throws(() => tryGetMany(max), { code: 'ERR_INVALID_ARG' }, `tryGetMany(${String(max)})`)
      t.throws(() => getManySync(max), { code: 'ERR_INVALID_ARG' }, `getManySync(${String(max)})`)
      await t.throwsAsync(getMany(max), { code: 'ERR_INVALID_ARG' }, `getMany(${String(max)})`)
    }
    for (const many of [undefined, null, 1, 'text', {}, new Set([item(0)]), Float64Array.of(1)] as never[]) {
      t.throws(() => tryPutMany(many), { code: 'ERR_INVALID_ARG' }, `tryPutMany(${String(many)})`)
      t.throws(() => putManySync(many), { code: 'ERR_INVALID_ARG' }, `putManySync(${String(many)})`)
      await t.throwsAsync(putMany(many), { code: 'ERR_INVALID_ARG' }, `putMany(${String(many)})`)
    }
    t.is(queue.size, 1, 'nothing was put or taken')
  })

  const testMessages = hasRecords ? () => undefined : test
  testMessages(`${kind}: a message has its place until it is released`, async t => {
    const { queue, putManySync, tryPut } = make({ capacity: 3 })
    using _ = queue
    putManySync(items(3))
    const messages = [await queue.receive(), queue.receiveSync(), queue.tryReceive() as Message<unknown>]
    t.deepEqual(
      messages.map(({ value, redelivered }) => ({ value, redelivered })),
      items(3).map(value => ({ value, redelivered: false })),
    )
    t.is(queue.tryReceive(), undefined)
    await t.throwsAsync(queue.receive({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
    t.throws(() => queue.receiveSync({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
    t.is(queue.size, 0)
    t.false(tryPut(item(3)), 'there is no room')
    t.false(queue.isFull)
    const [first, second, third] = messages as [Message<unknown>, Message<unknown>, Message<unknown>]
    first.release()
    first.release()
    t.true(tryPut(item(3)))
    t.false(tryPut(item(4)))
    {
      using _second = second
    }
    third[Symbol.dispose]()
    putManySync(items(2, 4))
    t.true(queue.isFull)
  })

  test(`${kind}: it is iterated until its end, and items that were not asked for stay`, async t => {
    const { queue, putManySync, tryGet } = make()
    using _ = queue
    putManySync(items(5))
    const seen: unknown[] = []
    for await (const one of queue) {
      seen.push(one)
      done(queue)
      if (seen.length === 2) break
    }
    t.is(queue.size, 3)
    queue.end()
    for await (const one of queue) {
      seen.push(one)
      done(queue)
    }
    t.deepEqual(seen, items(5))
    t.is(tryGet(), undefined)
    for await (const one of queue) t.fail(String(one))
  })

  test(`${kind}: all handles of a thread are one queue, which closes with the last`, async t => {
    const { queue, put, get, getMany, tryPut } = make()
    const other = open(queue.toJSON()) as unknown as AnyQueue
    const again = methodsOf(Class, other)
    t.true(tryPut(item(0)))
    t.deepEqual(again.tryGet(), item(0))
    const waits = [get(), again.get(), getMany(1)]
    const [first, second, third] = waits as [Promise<unknown>, Promise<unknown>, Promise<unknown>]
    await put(item(1))
    t.deepEqual(await first, item(1))
    queue.close()
    t.true(await isPending(Promise.race([second, third])))
    again.putManySync(items(2, 2))
    t.deepEqual(await second, item(2))
    t.deepEqual(await third, [item(3)])
    other.close()
    t.deepEqual(list(), [])
  })

  test(`${kind}: closing ends the waits here, with ERR_CLOSED`, async t => {
    const { queue, get, getMany, put, tryPutMany } = make({ capacity: 1 })
    const empty = make()
    tryPutMany(items(1))
    const waits = [put(item(1)), empty.get(), empty.getMany(2)]
    if (!hasRecords) waits.push(empty.queue.receive({ timeout: 600_000 }))
    t.true(await isPending(Promise.race(waits)))
    queue.close()
    empty.queue.close()
    for (const wait of waits) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
    await t.throwsAsync(get(), { code: 'ERR_CLOSED' })
    await t.throwsAsync(getMany(1), { code: 'ERR_CLOSED' })
    t.deepEqual(list(), [])
  })

  for (const place of places) {
    test(`${kind}: items go from here to there and back, in order: ${place}`, async t => {
      const { queue, put, tryGet, putManySync, get, drain } = make({ capacity: 10 })
      using _ = queue
      const there = await startPeer(t, place)
      const far = await there.open(queue)
      putManySync(items(10))
      t.deepEqual(await far.do(names.tryGet), item(0))
      t.deepEqual(await far.do(names.getSync), item(1))
      t.deepEqual(await far.do(names.get), item(2))
      t.deepEqual(await far.do(names.getMany, 3), items(3, 3))
      t.deepEqual(await far.do(names.getManySync, 2), items(2, 6))
      t.deepEqual(await far.do(names.tryGetMany, 9), items(2, 8))
      if (Class.done) for (let i = 0; i < 10; i++) await far.do('taskDone')
      t.is(tryGet(), undefined)
      await far.do(names.put, item(10))
      await far.do(names.putSync, item(11))
      t.true(await far.do(names.tryPut, item(12)))
      await far.do(names.putMany, items(2, 13))
      await far.do(names.putManySync, items(2, 15))
      t.is(await far.do(names.tryPutMany, items(9, 17)), 3)
      t.true(await far.do('isFull'))
      t.deepEqual(drain(), items(10, 10))
      await put(item(20))
      t.deepEqual(await get(), item(20))
    })

    for (const how of ['get', 'getSync'] as const) {
      test(`${kind}.${names[how]}: a waiter in another agent is woken by a put, by the end and by unlink: ${place}`, async t => {
        const { queue, tryPut } = make()
        using _ = queue
        const [a, b] = [await startPeer(t, place), await startPeer(t, place)]
        const [farA, farB] = [await a.open(queue), await b.open(queue)]
        const waits = [await farA.begin(names[how]), await farB.begin(names[how])]
        const results = waits.map(({ result }, i) => result.then(value => ({ value, i })))
        t.true(await isPending(Promise.race(results)))
        t.true(tryPut(item(1)))
        const first = await Promise.race(results)
        t.deepEqual(first.value, item(1))
        const other = waits[1 - first.i]
        t.true(await isPending(other?.result as Promise<unknown>))
        queue.end()
        queue.end()
        t.true(queue.isEnded)
        await t.throwsAsync(other?.result as Promise<unknown>, { code: 'ERR_ENDED' })
        using unlinked = Class.create()
        const waiting = await (await a.open(unlinked)).begin(names[how])
        unlinked.unlink()
        await t.throwsAsync(waiting.result, { code: 'ERR_NOT_FOUND' })
      })
    }

    for (const how of ['put', 'putSync'] as const) {
      test(`${kind}.${names[how]}: a waiter in another agent is woken by room, by the end and by unlink: ${place}`, async t => {
        const { queue, tryPut, get, drain } = make({ capacity: 1 })
        using _ = queue
        const there = await startPeer(t, place)
        const far = await there.open(queue)
        t.true(tryPut(item(0)))
        const waiting = await far.begin(names[how], item(1))
        t.true(await isPending(waiting.result))
        t.deepEqual(await get(), item(0))
        done(queue)
        await waiting.result
        const inVain = await far.begin(names[how], item(2))
        queue.end()
        await t.throwsAsync(inVain.result, { code: 'ERR_ENDED' })
        t.deepEqual(drain(), [item(1)])
        using unlinked = Class.create({ capacity: 1 })
        methodsOf(Class, unlinked).putSync(item(0))
        const last = await (await there.open(unlinked)).begin(names[how], item(1))
        unlinked.unlink()
        await t.throwsAsync(last.result, { code: 'ERR_NOT_FOUND' })
      })
    }

    test(`${kind}: the end in another agent is the end here, after all items: ${place}`, async t => {
      const { queue, get, getSync, getMany, tryGet, put, putSync, tryPut, putMany, tryPutMany } = make({
        capacity: 2,
      })
      using _ = queue
      const there = await startPeer(t, place)
      const far = await there.open(queue)
      await far.do(names.putMany, items(2))
      const inVain = put(item(2))
      t.true(await isPending(inVain))
      await far.do('end')
      await t.throwsAsync(inVain, { code: 'ERR_ENDED' })
      t.true(queue.isEnded)
      for (const refused of [() => putSync(item(3)), () => tryPut(item(3)), () => tryPutMany(items(1))]) {
        t.throws(refused, { code: 'ERR_ENDED' }, String(refused))
      }
      await t.throwsAsync(put(item(3)), { code: 'ERR_ENDED' })
      await t.throwsAsync(putMany(items(2)), { code: 'ERR_ENDED' })
      t.deepEqual([getSync(), await get()], items(2))
      t.is(tryGet(), undefined)
      t.throws(() => getSync(), { code: 'ERR_ENDED' })
      await t.throwsAsync(get(), { code: 'ERR_ENDED' })
      await t.throwsAsync(getMany(2), { code: 'ERR_ENDED' })
      if (hasRecords) return
      t.is(queue.tryReceive(), undefined)
      t.throws(() => queue.receiveSync(), { code: 'ERR_ENDED' })
      await t.throwsAsync(queue.receive(), { code: 'ERR_ENDED' })
    })

    test(`${kind}: closing in another agent is not the end; its items stay: ${place}`, async t => {
      const { queue, drain, get } = make()
      using _ = queue
      const there = await startPeer(t, place)
      const far = await there.open(queue)
      await far.do(names.putMany, items(3))
      await far.do('close')
      t.false(queue.isEnded)
      t.deepEqual(drain(), items(3))
      await there.kill()
      await t.throwsAsync(get({ timeout: 150 }), { code: 'ERR_TIMEOUT' }, 'others may come')
    })

    test(`${kind}: items that a ${place} put before it was killed are there`, async t => {
      const { queue, drain } = make()
      using _ = queue
      const there = await startPeer(t, place)
      await (await there.open(queue)).do(names.putMany, items(100))
      await there.kill()
      t.deepEqual(drain(), items(100))
    })
  }

  test(`${kind}: a thousand waits are served in order by another process`, async t => {
    const { queue, get } = make()
    using _ = queue
    const there = await startPeer(t, 'process')
    const far = await there.open(queue)
    const turns: number[] = []
    const waits = range(1000).map(async i => {
      const got = await get()
      turns.push(i)
      return got
    })
    t.true(await isPending(Promise.race(waits)))
    await far.do(names.putMany, items(500))
    await far.do(names.putManySync, items(500, 500))
    t.deepEqual(await Promise.all(waits), items(1000))
    t.deepEqual(turns, range(1000))
  })
}
