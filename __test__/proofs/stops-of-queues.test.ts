import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import ava from 'ava'
import { MpmcQueue } from 'crossmem'
import type { Going, GoingOrders } from '../fixtures/proofs/go-on.js'
import { root } from '../helpers/paths.js'
import { random } from '../helpers/random.js'
import { kill, message, start } from '../processes/children.js'
import { hire } from '../processes/hire.js'
import { roles } from '../storm/streams.js'
import { Track } from '../storm/track.js'

const test = process.platform === 'win32' ? ava.skip : ava.serial
/** In milliseconds: longer than any call takes. */
const HANG = 20_000
const STOPS = 200
/** Messages that each of the others puts in or takes out while one is stopped. */
const MEANWHILE = 50
const OF_EACH_ROLE = 3

test(`MpmcQueue: a process is stopped anywhere, ${STOPS} times, and the others go on`, async t => {
  const below = random(1)
  using track = Track.create()
  using queue = MpmcQueue.create(null, { capacity: 16, messageBytes: 64 })
  const numbers = Array.from({ length: 2 * OF_EACH_ROLE }, (_, number) => number)
  const all = await Promise.all(numbers.map(() => hire<GoingOrders>('proofs/go-on')))
  t.teardown(() => Promise.all(all.map(hired => hired.kill())))
  const ends = all.map((hired, number) => {
    const role = roles[number % 2] as Going['role']
    const going = { role, number, isSync: number < 4, queue: queue.name, track: track.name }
    return hired.tell({ do: 'go', going })
  })

  /** Waits until each of these has put in or taken out so many messages more. */
  const goOn = async (these: number[], doing: string): Promise<void> => {
    const enough = these.map(number => track.messagesOf(number) + MEANWHILE)
    const began = performance.now()
    while (these.some((number, i) => track.messagesOf(number) < (enough[i] as number))) {
      if (performance.now() - began > HANG)
        throw new Error(`${these.map(n => track.messagesOf(n))}: ${doing}`)
      await pause(1)
    }
  }

  await goOn(numbers, 'at the beginning')
  for (let stop = 0; stop < STOPS; stop++) {
    const stopped = below(numbers.length)
    await pause(below(3))
    all[stopped]?.signal('SIGSTOP')
    await goOn(
      numbers.filter(number => number !== stopped),
      `${stopped} is stopped for the ${stop}th time`,
    )
    all[stopped]?.signal('SIGCONT')
    await goOn([stopped], `it may go on for the ${stop}th time`)
  }
  track.end()
  await Promise.all(ends.filter((_, number) => number % 2 === 0))
  queue.end()
  await Promise.all(ends)
  const { put, lost, again } = track.ledger.balance()
  t.log(`${put} messages`)
  t.deepEqual([lost, again], [0, 0])
  for (const role of [0, 1]) {
    const counts = numbers.filter(number => number % 2 === role).map(number => track.messagesOf(number))
    t.is(
      counts.reduce((sum, count) => sum + count),
      put,
    )
  }
  t.is(queue.size, 0)
})

/** Whether a process is stopped while it holds the registry. */
function isStoppedInside(pid: number): boolean {
  while (!/ T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\)/s, '')));
  const cli = join(root, 'dist', 'cli', 'main.js')
  const { stdout } = spawnSync(process.execPath, [cli, 'doctor', '--json'], { encoding: 'utf8' })
  return JSON.parse(stdout).registryHeldBy === pid
}

const testOnLinux = process.platform === 'linux' ? test : ava.skip

testOnLinux('MpmcQueue: a process that is stopped in the registry holds up no message', async t => {
  using queue = MpmcQueue.create(null, { capacity: 2, messageBytes: 16 })
  const [small, large] = [new Uint8Array(16), new Uint8Array(1 << 20).fill(7)]
  queue.pushSync(large)
  const child = start('proofs/use-registry-endlessly')
  t.teardown(() => kill(child))
  await message(child)
  do {
    child.kill('SIGCONT')
    child.kill('SIGSTOP')
  } while (!isStoppedInside(child.pid as number))
  t.true(queue.tryPush(large))
  t.deepEqual(queue.popSync(), large)
  await queue.push(small)
  t.deepEqual(queue.tryPop(), large)
  t.deepEqual(await queue.pop(), small)
  t.true(isStoppedInside(child.pid as number))
})
