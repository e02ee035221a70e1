import '../helpers/domain.js'
import { getEventListeners } from 'node:events'
import ava from 'ava'
import { Mutex } from 'crossmem'
import { isPending } from '../helpers/pending.js'
import { kinds } from './kinds.js'

const test = ava.serial

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length

for (const [title, make] of Object.entries(kinds)) {
  test(`a wait leaves no listener on its signal: ${title}`, async t => {
    const stop = new AbortController()
    // As programs make one for each wait; one that is listened to is never collected.
    const one = (): AbortSignal => AbortSignal.any([stop.signal])

    const ended = make()
    const signal = one()
    const wait = ended.wait({ signal })
    t.true(await isPending(wait))
    t.is(listeners(signal), 1)
    ended.end?.()
    await wait
    t.is(listeners(signal), 0)

    if (title !== 'locks.request') {
      const late = one()
      await t.throwsAsync(make().wait({ signal: late, timeout: 20 }), { code: 'ERR_TIMEOUT' })
      t.is(listeners(late), 0)
    }

    const controller = new AbortController()
    const aborted = make().wait({ signal: controller.signal })
    t.true(await isPending(aborted))
    const reason = new Error('enough')
    controller.abort(reason)
    await t.throwsAsync(aborted, { is: reason })
    t.is(listeners(controller.signal), 0)
    t.is(listeners(stop.signal), 0)
  })
}

test('a signal of many waits has one listener until the last of them ends', async t => {
  using mutex = Mutex.create(null)
  const guard = mutex.lockSync()
  const controller = new AbortController()
  const waits = Array.from({ length: 3 }, () => mutex.lock({ signal: controller.signal }))
  guard.release()
  const [first, ...others] = waits
  ;(await first)?.release()
  const second = await others[0]
  t.is(listeners(controller.signal), 1)
  second?.release()
  ;(await others[1])?.release()
  t.is(listeners(controller.signal), 0)
  const last = mutex.lockSync()
  const again = mutex.lock({ signal: controller.signal })
  const reason = new Error('enough')
  controller.abort(reason)
  await t.throwsAsync(again, { is: reason })
  last.release()
})
