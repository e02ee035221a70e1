import '../helpers/domain.js'
import ava from 'ava'
import { Barrier } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { gone, message, start } from '../processes/children.js'
import { places } from '../processes/hire.js'
import { type Distant, type Peer, startPeer } from '../processes/peers.js'

const test = ava.serial
const BROKEN = { code: 'ERR_BROKEN_BARRIER' }

testObject(
  Barrier,
  [2],
  [
    barrier => barrier.wait(),
    barrier => barrier.waitSync(),
    barrier => barrier.abort(),
    barrier => barrier.reset(),
    barrier => barrier.parties,
    barrier => barrier.waiting,
    barrier => barrier.isBroken,
  ],
)

const hireMany = async (
  t: Parameters<typeof startPeer>[0],
  place: (typeof places)[number],
  count: number,
  barrier: Barrier,
): Promise<{ peer: Peer; far: Distant }[]> => {
  const hired = []
  for (let i = 0; i < count; i++) {
    const peer = await startPeer(t, place)
    hired.push({ peer, far: await peer.open(barrier) })
  }
  return hired
}

test('invalid arguments are refused, and leave no party', async t => {
  for (const parties of [0, -1, 1.5, Number.NaN, 2 ** 32, '2']) {
    t.throws(() => Barrier.create(null, parties as never), { code: 'ERR_INVALID_ARG' }, String(parties))
  }
  t.throws(() => Barrier.create(null, 2, { action: 1 as never }), { code: 'ERR_INVALID_ARG' })
  t.throws(() => Barrier.open(unique('none'), { action: 1 as never }), { code: 'ERR_INVALID_ARG' })
  const name = unique('parties')
  using barrier = Barrier.openOrCreate(name, 3)
  t.throws(() => Barrier.openOrCreate(name, 2), { code: 'ERR_INVALID_ARG', message: /3 parties/ })
  t.is(barrier.parties, 3)
  for (const options of [{ timeout: -1 }, { signal: 1 }, { unref: 'no' }]) {
    await t.throwsAsync(barrier.wait(options as never), { code: 'ERR_INVALID_ARG' })
  }
  t.throws(() => barrier.waitSync({ timeout: Number.NaN }), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(barrier.wait({ signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
  t.deepEqual([barrier.waiting, barrier.isBroken], [0, false])
})

test('one party meets itself', async t => {
  let acted = 0
  using barrier = Barrier.create(null, 1, { action: () => acted++ })
  t.is(await barrier.wait(), 0)
  t.is(barrier.waitSync(), 0)
  t.is(await barrier.wait({ timeout: 0 }), 0)
  t.is(acted, 3)
  t.is(barrier.waiting, 0)
})

test('tasks of one thread meet, again and again', async t => {
  let acted = 0
  using barrier = Barrier.create(null, 5, {
    action: async () => {
      await new Promise(setImmediate)
      acted++
    },
  })
  const task = async () => {
    const indexes = []
    for (let i = 0; i < 20; i++) {
      indexes.push(await barrier.wait())
      if (acted < i + 1) throw new Error(`${i}: nobody waits for the action`)
    }
    return indexes
  }
  const indexes = await Promise.all([task(), task(), task(), task(), task()])
  for (let i = 0; i < 20; i++) t.deepEqual(indexes.map(of => of[i]).sort(), [0, 1, 2, 3, 4])
  t.is(acted, 20)
})

test('a party that comes during the action takes part in the next meeting', async t => {
  let finish = (): void => undefined
  let starts = (): void => undefined
  const started = new Promise<void>(resolve => {
    starts = resolve
  })
  const finished = new Promise<void>(resolve => {
    finish = resolve
  })
  let acted = 0
  using barrier = Barrier.create(null, 3, {
    action: () => {
      if (acted++ > 0) return
      starts()
      return finished
    },
  })
  const first = [barrier.wait(), barrier.wait(), barrier.wait()]
  await started
  const second = [barrier.wait(), barrier.wait(), barrier.wait()]
  t.true(await isPending(Promise.race([...first, ...second])))
  finish()
  t.deepEqual((await Promise.all(first)).sort(), [0, 1, 2])
  t.deepEqual((await Promise.all(second)).sort(), [0, 1, 2])
  t.is(acted, 2)
})

for (const place of places) {
  for (const how of ['wait', 'waitSync']) {
    test(`all wait until all have come, each with a number of its own: ${how}, ${place}`, async t => {
      let acted = 0
      using barrier = Barrier.create(null, 4, { action: () => acted++ })
      const peers = await hireMany(t, place, 3, barrier)
      for (let i = 0; i < 10; i++) {
        const waits = []
        for (const { far } of peers) waits.push((await far.begin<number>(how)).result)
        t.true(await isPending(Promise.race(waits)))
        t.is(barrier.waiting, 3)
        t.is(acted, i)
        const mine = how === 'wait' ? await barrier.wait() : barrier.waitSync()
        t.is(acted, i + 1)
        t.deepEqual([...(await Promise.all(waits)), mine], [0, 1, 2, 3])
        t.is(barrier.waiting, 0)
      }
      t.false(barrier.isBroken)
    })

    test(`abort breaks it for present and later parties, reset makes it as new: ${how}, ${place}`, async t => {
      using barrier = Barrier.create(null, 3)
      const peers = await hireMany(t, place, 2, barrier)
      const wait = async () => {
        const waits = []
        for (const { far } of peers) waits.push((await far.begin<number>(how)).result)
        return waits
      }
      const aborted = await wait()
      barrier.abort()
      for (const result of aborted) await t.throwsAsync(result, BROKEN)
      t.true(barrier.isBroken)
      await t.throwsAsync(barrier.wait(), BROKEN)
      t.throws(() => barrier.waitSync(), BROKEN)
      await t.throwsAsync(peers[0]?.far.do(how) as Promise<unknown>, BROKEN)
      barrier.reset()
      t.false(barrier.isBroken)
      const reset = await wait()
      barrier.reset()
      for (const result of reset) await t.throwsAsync(result, BROKEN)
      t.deepEqual([barrier.isBroken, barrier.waiting], [false, 0])
      const met = await wait()
      t.is(barrier.waitSync(), 2)
      await Promise.all(met)
    })

    test(`a party that dies breaks it for the waiting parties: ${how}, ${place}`, async t => {
      using barrier = Barrier.create(null, 3)
      const peers = await hireMany(t, place, 2, barrier)
      const [stays, dies] = peers as [(typeof peers)[0], (typeof peers)[0]]
      const waiting = await stays.far.begin(how)
      const doomed = await dies.far.begin(how)
      t.is(barrier.waiting, 2)
      await dies.peer.kill()
      await t.throwsAsync(waiting.result, BROKEN)
      await t.throwsAsync(doomed.result)
      t.true(barrier.isBroken)
      await t.throwsAsync(barrier.wait(), BROKEN)
      barrier.reset()
      const again = [barrier.wait(), barrier.wait()]
      t.is(await stays.far.do(how), 2)
      t.deepEqual(await Promise.all(again), [0, 1])
    })

    test(`a party that dies before it is noticed is not counted: ${how}, ${place}`, async t => {
      using barrier = Barrier.create(null, 2)
      const [dies] = await hireMany(t, place, 1, barrier)
      await dies?.far.begin(how)
      await dies?.peer.kill()
      if (how === 'wait') await t.throwsAsync(barrier.wait(), BROKEN)
      else t.throws(() => barrier.waitSync(), BROKEN)
    })

    test(`a party that gives up breaks it: ${how}, ${place}`, async t => {
      using barrier = Barrier.create(null, 3)
      const [other] = await hireMany(t, place, 1, barrier)
      for (const timeout of [0, 30]) {
        const theirs = await other?.far.begin(how)
        if (how === 'wait') await t.throwsAsync(barrier.wait({ timeout }), { code: 'ERR_TIMEOUT' })
        else t.throws(() => barrier.waitSync({ timeout }), { code: 'ERR_TIMEOUT' })
        await t.throwsAsync(theirs?.result as Promise<unknown>, BROKEN)
        t.true(barrier.isBroken)
        barrier.reset()
      }
      const controller = new AbortController()
      const mine = barrier.wait({ signal: controller.signal })
      const theirs = await other?.far.begin(how)
      t.true(await isPending(mine))
      const reason = new Error('enough')
      controller.abort(reason)
      await t.throwsAsync(mine, { is: reason })
      await t.throwsAsync(theirs?.result as Promise<unknown>, BROKEN)
    })

    test(`an action that throws breaks it: ${how}, ${place}`, async t => {
      const action = () => {
        throw new Error('in the action')
      }
      using barrier = Barrier.create(null, 2, { action })
      const [other] = await hireMany(t, place, 1, barrier)
      const theirs = await other?.far.begin(how)
      if (how === 'wait') await t.throwsAsync(barrier.wait(), { message: 'in the action' })
      else t.throws(() => barrier.waitSync(), { message: 'in the action' })
      await t.throwsAsync(theirs?.result as Promise<unknown>, BROKEN)
      t.true(barrier.isBroken)
    })

    test(`a waiter is told when it is unlinked, and when no other process is left: ${how}, ${place}`, async t => {
      using unlinked = Barrier.create(null, 2)
      const [there] = await hireMany(t, place, 1, unlinked)
      const waiting = await there?.far.begin(how)
      unlinked.unlink()
      await t.throwsAsync(waiting?.result as Promise<unknown>, { code: 'ERR_NOT_FOUND' })
      const barrier = Barrier.create(null, 2)
      const far = (await there?.peer.open(barrier)) as Distant
      const alone = await far.begin(how)
      barrier.close()
      await t.throwsAsync(alone.result, { code: 'ERR_PEER_DIED' })
      t.true(await far.do('isBroken'), 'it gave up')
    })
  }

  test(`the leader dies in its action: ${place}`, async t => {
    using barrier = Barrier.create(null, 3)
    const [dies, stays] = await hireMany(t, place, 2, barrier)
    const mine = barrier.wait()
    const theirs = await stays?.far.begin('wait')
    await dies?.peer.it('deeds').do('leadForever', { name: barrier.name })
    t.true(await isPending(Promise.race([mine, theirs?.result])))
    await dies?.peer.kill()
    await t.throwsAsync(mine, BROKEN)
    await t.throwsAsync(theirs?.result as Promise<unknown>, BROKEN)
  })
}

test('a last party that dies is a broken barrier, not a lonely one', async t => {
  using barrier = Barrier.create(null, 3)
  const [dies] = await hireMany(t, 'process', 1, barrier)
  const mine = [barrier.wait()]
  await dies?.far.begin('waitSync')
  await dies?.peer.kill()
  for (const wait of mine) await t.throwsAsync(wait, BROKEN)
})

test('only a synchronous action will do for waitSync', async t => {
  using barrier = Barrier.create(null, 1, { action: async () => undefined })
  t.throws(() => barrier.waitSync(), { code: 'ERR_INVALID_ARG', message: /synchronous/ })
  t.true(barrier.isBroken)
  barrier.reset()
  t.is(await barrier.wait(), 0)
})

test('closing while waiting breaks it for the other parties', async t => {
  const barrier = Barrier.create(null, 3)
  const [there] = await hireMany(t, 'process', 1, barrier)
  const theirs = await there?.far.begin('wait')
  const mine = barrier.wait()
  t.true(await isPending(mine))
  barrier.close()
  await t.throwsAsync(mine, { code: 'ERR_CLOSED' })
  await t.throwsAsync(theirs?.result as Promise<unknown>, BROKEN)
})

test('a leader that closes its handle during the action breaks the meeting', async t => {
  using barrier = Barrier.create(null, 2)
  const waiting = barrier.wait()
  const leader = start('locks/close-while-leading', barrier.name)
  await t.throwsAsync(waiting, BROKEN)
  const refused = message(leader)
  leader.send('go on')
  t.is(await refused, 'ERR_CLOSED')
  await gone(leader)
})
