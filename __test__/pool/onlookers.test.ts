import '../helpers/domain.js'
import ava from 'ava'
import { list } from 'crossmem'
import { workersOf } from '../processes/onlookers.js'
import { poolFor } from './pools.js'

const test = ava.serial

const namesOf = (): string[] => list().map(({ name }) => name)

test('what an onlooker sees of a task is whole, however short tasks are', async t => {
  const pool = poolFor(t, { workers: 1 })
  const { name } = pool
  await pool.apply('square', [1])
  const names = namesOf()
  const seen: { id: number; run: string }[] = []
  while (seen.length < 50) {
    // The worker runs these while this thread looks. Even numbers add, odd ones square.
    const tasks = Array.from({ length: 50 }, (_, i) => pool.apply(i % 2 === 0 ? 'add' : 'square', [i]))
    await new Promise(setImmediate)
    for (let looks = 0; looks < 100; looks++) {
      const task = workersOf(name, names)[0]?.task
      if (task) seen.push(task)
    }
    await Promise.all(tasks)
  }
  for (const task of seen) t.is(task.run, task.id % 2 === 0 ? 'add' : 'square')
})

test('memory that is named like that of a worker is passed over, and so is that of other pools', async t => {
  const pool = poolFor(t, { workers: 1 })
  const other = poolFor(t, { workers: 1 })
  await Promise.all([pool.apply('square', [1]), other.apply('square', [1])])
  const names = [...namesOf(), `${pool.name}.nothing`, pool.name]
  t.deepEqual(
    workersOf(pool.name, names).map(worker => worker.name),
    pool.stats().workers.map(worker => worker.name),
  )
  t.deepEqual(workersOf('no such pool', names), [])
})
