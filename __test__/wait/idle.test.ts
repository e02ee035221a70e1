import '../helpers/domain.js'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import ava, { type ExecutionContext } from 'ava'
import { Event, locks } from 'crossmem'
import { unique } from '../helpers/domain.js'
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

/** Returns once a process wakes up less often than every 100 ms. */
async function ticksSeldom(t: ExecutionContext, { pid }: { pid?: number | undefined }): Promise<void> {
  // Its first ticks come often, and so do those after a death of another test.
  for (let wakes = 50; wakes >= 25; ) {
    const before = sleeps(pid)
    for (let tick = 0; tick < 50; tick++) await sleep(100)
    wakes = sleeps(pid) - before
    t.log(`${wakes} times in fifty times 100 ms`)
  }
}

test('a process that only waits wakes up less often than every 100 ms', async t => {
  using event = Event.create(null)
  const child = await startWaiting(t, event)
  await ticksSeldom(t, child)
  event.set()
  t.is(await message(child), 'set')
})

test('a process that waits for a named lock ticks seldom, and gets it from a living holder and from a dead one', async t => {
  const name = unique('lock')
  const requesting = async () => {
    const child = start('wait/wait-for-lock', name)
    t.teardown(() => kill(child))
    t.is(await message(child), 'waiting')
    return child
  }
  const [first, second] = await locks.request(name, async () => {
    const both = [await requesting(), await requesting()] as const
    await ticksSeldom(t, both[0])
    return both
  })
  t.is(await message(first), 'granted')
  await ticksSeldom(t, second)
  const told = message(second)
  await kill(first)
  t.is(await told, 'recovered')
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
