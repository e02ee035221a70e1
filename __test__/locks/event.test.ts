import '../helpers/domain.js'
import ava from 'ava'
import { Event } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  Event,
  [],
  [
    event => event.set(),
    event => event.clear(),
    event => event.isSet,
    event => event.autoReset,
    event => event.wait(),
    event => event.waitSync(),
    event => event.tryWait(),
  ],
)

test('it is set and cleared, and both may be repeated', async t => {
  using event = Event.create(null)
  t.deepEqual([event.isSet, event.autoReset, event.tryWait()], [false, false, false])
  t.throws(() => event.waitSync({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => event.waitSync({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(event.wait({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(event.wait({ timeout: 20 }), { code: 'ERR_TIMEOUT' })
  for (let i = 0; i < 2; i++) {
    event.set()
    t.true(event.isSet)
    event.waitSync()
    t.is(await event.wait(), undefined)
    t.true(event.tryWait())
    t.true(event.isSet)
  }
  for (let i = 0; i < 2; i++) {
    event.clear()
    t.false(event.isSet)
    t.false(event.tryWait())
  }
})

test('invalid arguments are refused', async t => {
  t.throws(() => Event.create(null, { autoReset: 1 as never }), { code: 'ERR_INVALID_ARG' })
  const name = unique('auto')
  using event = Event.openOrCreate(name, { autoReset: true })
  t.throws(() => Event.openOrCreate(name), { code: 'ERR_INVALID_ARG', message: /autoReset: true/ })
  t.throws(() => event.waitSync({ timeout: -1 }), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(event.wait({ timeout: Number.NaN }), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(event.wait({ signal: 1 as never }), { code: 'ERR_INVALID_ARG' })
  const reason = new Error('enough')
  const controller = new AbortController()
  const waiting = event.wait({ signal: controller.signal })
  t.true(await isPending(waiting))
  controller.abort(reason)
  await t.throwsAsync(waiting, { is: reason })
  await t.throwsAsync(event.wait({ signal: controller.signal }), { is: reason })
  event.set()
  await t.throwsAsync(event.wait({ signal: controller.signal }), { is: reason })
  t.true(event.isSet, 'the aborted wait took nothing')
})

for (const place of places) {
  test(`setting it releases all waiters: ${place}`, async t => {
    using event = Event.create(null)
    const [a, b] = [await startPeer(t, place), await startPeer(t, place)]
    const [farA, farB] = [await a.open(event), await b.open(event)]
    const there = [await farA.begin('wait'), await farA.begin('wait'), await farB.begin('waitSync')]
    const here = [event.wait(), event.wait()]
    t.true(await isPending(Promise.race([...here, ...there.map(({ result }) => result)])))
    event.set()
    await Promise.all([...here, ...there.map(({ result }) => result)])
    t.true(await farA.do('isSet'))
    await farA.do('clear')
    t.false(event.isSet)
    const waiting = event.wait()
    t.true(await isPending(waiting))
    await farB.do('set')
    await waiting
    event.waitSync()
  })

  test(`setting and clearing it at once releases all waiters: ${place}`, async t => {
    using event = Event.create(null)
    const [a, b] = [await startPeer(t, place), await startPeer(t, place)]
    const [farA, farB] = [await a.open(event), await b.open(event)]
    for (let i = 0; i < 20; i++) {
      const there = [await farA.begin('wait'), await farB.begin('waitSync')]
      const here = event.wait()
      event.set()
      event.clear()
      const next = event.wait({ timeout: 1 })
      await Promise.all([here, ...there.map(({ result }) => result)])
      await t.throwsAsync(next, { code: 'ERR_TIMEOUT' }, 'who came later waits for the next one')
    }
  })

  test(`one that resets itself releases one wait for each set: ${place}`, async t => {
    using event = Event.create(null, { autoReset: true })
    t.true(event.autoReset)
    event.set()
    event.set()
    t.true(event.tryWait())
    t.false(event.tryWait())
    event.set()
    event.clear()
    t.false(event.tryWait())
    const [a, b] = [await startPeer(t, place), await startPeer(t, place)]
    const [farA, farB] = [await a.open(event), await b.open(event)]
    const waits = [
      (await farA.begin('wait')).result,
      (await farB.begin('waitSync')).result,
      event.wait(),
      event.wait(),
    ]
    for (const _ of [...waits]) {
      event.set()
      const settled = await Promise.race(waits.map(async (wait, i) => [await wait, i] as const))
      waits.splice(settled[1], 1)
      t.false(event.isSet)
      if (waits.length > 0) t.true(await isPending(Promise.race(waits)))
    }
  })

  for (const how of ['wait', 'waitSync']) {
    test(`a waiter is told when it is unlinked, and when no other process is left: ${how}, ${place}`, async t => {
      const there = await startPeer(t, place)
      using unlinked = Event.create(null)
      const gone = await there.open(unlinked)
      const waiting = await gone.begin(how)
      unlinked.unlink()
      await t.throwsAsync(waiting.result, { code: 'ERR_NOT_FOUND' })
      const again = await gone.begin(how)
      unlinked.set()
      await again.result
      const event = Event.create(null)
      const far = await there.open(event)
      const alone = await far.begin(how)
      event.close()
      await t.throwsAsync(alone.result, { code: 'ERR_PEER_DIED', message: /nothing can end this wait/ })
      await far.do('set')
      await far.do(how)
    })
  }

  test(`all waiters here are told, too: ${place}`, async t => {
    using event = Event.create(null)
    for (const how of ['wait', 'waitSync'] as const) {
      const there = await startPeer(t, place)
      await there.open(event)
      const waits = [event.wait(), event.wait({ timeout: 600_000 })]
      t.true(await isPending(Promise.race(waits)))
      const dead = there.kill()
      if (how === 'waitSync') {
        // The synchronous wait is the first one to hear of it.
        await dead
        const error = t.throws(() => event.waitSync({ timeout: 300 })) as Error & { code: string }
        t.true(['ERR_TIMEOUT', 'ERR_PEER_DIED'].includes(error.code))
      }
      for (const wait of waits) await t.throwsAsync(wait, { code: 'ERR_PEER_DIED' })
    }
  })
}

for (const how of ['wait', 'waitSync']) {
  const title = `a wake-up that goes to one who doesn't get to hear it is another one's: ${how}`
  if (process.platform === 'win32') {
    test.skip(`${title} (skipped: Windows has no SIGSTOP)`, () => undefined)
    continue
  }
  test(title, async t => {
    using event = Event.create(null, { autoReset: true })
    for (let i = 0; i < 5; i++) {
      const [a, b] = [await startPeer(t, 'process'), await startPeer(t, 'process')]
      const doomed = await (await a.open(event)).begin(how)
      const waiting = await (await b.open(event)).begin(how)
      a.hired.signal('SIGSTOP')
      event.set()
      await waiting.result
      t.false(event.isSet)
      await a.kill()
      await t.throwsAsync(doomed.result)
      await b.kill()
    }
  })
}

test('a wait that begins alone waits for any process to come', async t => {
  using event = Event.create(null)
  const waiting = event.wait()
  await t.throwsAsync(event.wait({ timeout: 250 }), { code: 'ERR_TIMEOUT' })
  t.true(await isPending(waiting))
  const there = await startPeer(t, 'process')
  await (await there.open(event)).do('set')
  await waiting
})

test('closing rejects only the waits here', async t => {
  const event = Event.create(null)
  const there = await startPeer(t, 'process')
  const far = await there.open(event)
  const other = await startPeer(t, 'process')
  const third = await other.open(event)
  const theirs = await far.begin('wait')
  const mine = [event.wait(), event.wait({ timeout: 600_000 })]
  t.true(await isPending(Promise.race(mine)))
  event.close()
  for (const wait of mine) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
  await third.do('set')
  await theirs.result
  t.pass()
})
