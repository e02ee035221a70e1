import '../helpers/domain.js'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import ava, { type ExecutionContext } from 'ava'
import { Event } from 'crossmem'
import { gone, kill, message, start } from '../processes/children.js'

const test = process.platform === 'linux' ? ava : ava.skip

/** A process that waits for an event, and whose first messages are `waiting` and how that ended. */
async function startWaiting(t: ExecutionContext, event: Event) {
  const child = start('wait/wait-for-event', event.name)
  t.teardown(() => kill(child))
  t.is(await message(child), 'waiting')
  return child
}

/** How often the process's main thread has gone to sleep. */
function sleeps(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1])
}

test('a process that only waits wakes up less often than every 100 ms', async t => {
  using event = Event.create(null)
  const child = await startWaiting(t, event)
  // Its first ticks come often, and so do those after a death of another test.
  for (let wakes = 50; wakes >= 25; ) {
    const before = sleeps(child.pid)
    for (let tick = 0; tick < 50; tick++) await sleep(100)
    wakes = sleeps(child.pid) - before
    t.log(`${wakes} times in fifty times 100 ms`)
  }
  event.set()
  t.is(await message(child), 'set')
})

test('a process that ticks seldom hears that the last other one died', async t => {
  const event = Event.create(null)
  const other = start('wait/wait-for-event', event.name)
  t.teardown(() => kill(other))
  t.is(await message(other), 'waiting')
  const child = await startWaiting(t, event)
  event.close()
  await kill(other)
  t.is(await message(child), 'ERR_PEER_DIED')
  t.is((await gone(child)).code, 0)
})

test('a process that ticks seldom hears that its object was unlinked', async t => {
  using event = Event.create(null)
  const child = await startWaiting(t, event)
  const ended = message(child)
  event.unlink()
  t.is(await ended, 'ERR_NOT_FOUND')
})
