// Many tasks beside workers that are killed at random moments.
import '../helpers/domain.js'
import ava from 'ava'
import { activeChildren, list, Pool, SharedArray, type WorkerDied } from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { below } from '../helpers/random.js'

type Storm = typeof import('../fixtures/pool/storm.js')

const test = ava.serial

const TASKS = 10_000
const KILLS = 300
const IN_FLIGHT = 200

/** Every other task may be run again once. */
const retriesOf = (i: number): number => i % 2

test('300 workers are killed beside 10,000 tasks, each of which settles once', async t => {
  const begun = SharedArray.create(null, 'int32', TASKS)
  const pool = new Pool<Storm>(fixture('pool/storm'), {
    workers: 4,
    initializer: ['begin', begun],
  })
  t.teardown(() => pool.terminate())
  const settled = new Uint8Array(TASKS)
  const victims = new Set<number>()
  const died = new Map<number, WorkerDied>()
  let [next, over, kills] = [0, 0, 0]

  /** Kills a worker, busy, idle or starting, for each so many tasks that have settled. */
  const kill = (): void => {
    if (over * KILLS < kills * TASKS || kills === KILLS) return
    const children = activeChildren()
    const child = children[below(children.length)]
    if (child?.pid === undefined || victims.has(child.pid)) return
    victims.add(child.pid)
    child.kill()
    kills++
  }

  const runTasks = async (): Promise<void> => {
    while (next < TASKS) {
      const i = next++
      const task = pool.apply('work', [i, below(1000)], { retries: retriesOf(i) })
      task.finally(() => (settled[i] as number)++).catch(() => undefined)
      try {
        t.is(await task, i)
      } catch (error) {
        died.set(i, error as WorkerDied)
      }
      over++
      kill()
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, runTasks))
  pool.close()
  await pool.join()

  t.is(kills, KILLS)
  t.true(settled.every(times => times === 1))
  for (const [i, error] of died) {
    const { code, signal, attempts } = error
    t.deepEqual([i, code, signal, attempts], [i, 'ERR_WORKER_DIED', 'SIGKILL', retriesOf(i) + 1])
  }
  // A kill costs one task at the most: what a dead worker hadn't begun is run elsewhere.
  const runs = begun.data
  const extra = runs.reduce((sum, times) => sum + Math.max(0, times - 1), 0)
  t.true(died.size + extra <= KILLS)
  t.true(runs.every((times, i) => died.has(i) || times >= 1))
  t.true(runs.every((times, i) => times <= retriesOf(i) + 1))
  begun.close()
  t.deepEqual(list(), [])
})
