import '../helpers/domain.js'
import { once } from 'node:events'
import ava, { type ExecutionContext } from 'ava'
import { Queue, Value } from 'crossmem'
import { poolFor } from './pools.js'

const test = ava.serial

/** A pool without tasks doesn't keep the test alive. */
function stayAlive(t: ExecutionContext): void {
  const timer = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(timer))
}

test('a worker is replaced after its tasks, unless one asks to keep it', async t => {
  const pool = poolFor(t, { workers: 1, maxTasksPerWorker: 3 })
  const tasks = Array.from({ length: 9 }, () => pool.apply('pid'))
  const pids = await Promise.all(tasks)
  t.deepEqual(
    pids.map(pid => pids.indexOf(pid)),
    [0, 0, 0, 3, 3, 3, 6, 6, 6],
  )
  const keeper = poolFor(t, { workers: 1, maxTasksPerWorker: 1 })
  const [id, first] = await keeper.apply('idAndKeep', [true])
  t.is(id, 1)
  t.is((await keeper.apply('idAndKeep', [true]))[1], first)
  t.is((await keeper.apply('idAndKeep', [false]))[1], first)
  t.not((await keeper.apply('idAndKeep', [false]))[1], first)
})

test('a worker that has too much memory is replaced', async t => {
  const pool = poolFor(t, { workers: 1, maxRss: 400e6 })
  const first = await pool.apply('pid')
  t.is(await pool.apply('pid'), first)
  t.is(await pool.apply('takeMemory', [500e6]), first)
  t.not(await pool.apply('pid'), first)
})

test('workers above the least start when tasks wait, and end when there are none', async t => {
  stayAlive(t)
  const pool = poolFor(t, { workers: 2, minWorkers: 0, idleTimeout: 0 })
  t.is(pool.stats().workers.length, 0)
  const exit = once(pool, 'exit')
  const pid = await pool.apply('pid')
  t.like((await exit)[0], { pid, exitCode: 0 })
  t.not(await pool.apply('pid'), pid)
})

test('a task of higher priority goes first, but not before all that are older', async t => {
  const pool = poolFor(t, { workers: 1 })
  const [go, order] = [Value.create(null, 'int32'), Queue.create(null)]
  const first = pool.apply('until', [go])
  const names: [string, number][] = [
    ['normal', 0],
    ['low', -1],
    ['high', 1],
    ['highest', 2],
  ]
  const tasks = names.map(([name, priority]) => pool.apply('enlist', [order, name], { priority }))
  go.set(1)
  await Promise.all([first, ...tasks])
  t.deepEqual(await order.getMany(4), ['highest', 'high', 'normal', 'low'])
  for (const handle of [go, order]) handle.close()
})

test('tasks of one key run in one worker', async t => {
  const pool = poolFor(t, { workers: 3 })
  for (const key of ['a', 'b', 'c', 4]) {
    const pids = await Promise.all(Array.from({ length: 20 }, () => pool.apply('pid', [], { key })))
    t.is(new Set(pids).size, 1)
  }
})

test('above maxQueue, tasks are accepted later', async t => {
  const pool = poolFor(t, { workers: 1, maxQueue: 4 })
  const go = Value.create(null, 'int32')
  const drained = once(pool, 'drain')
  const tasks = [pool.apply('until', [go])]
  for (let i = 0; i < 2; i++) tasks.push(pool.apply('add', [i]))
  t.false(pool.needsDrain)
  const late = { n: 1 }
  for (let i = 2; i < 20; i++) tasks.push(pool.apply('add', [i]))
  const cancelled = pool.apply('echo', [late])
  t.true(pool.needsDrain)
  cancelled.cancel('no more')
  t.is(await cancelled.catch((reason: unknown) => reason), 'no more')
  go.set(1)
  const [, ...results] = await Promise.all(tasks)
  t.deepEqual(
    results,
    Array.from({ length: 20 }, (_, i) => i),
  )
  await drained
  t.false(pool.needsDrain)
  go.close()
})

test('a handle that a function made and returned is closed when the caller has it', async t => {
  const pool = poolFor(t, { workers: 1 })
  const [kept, other] = await pool.apply('makeAndKeep')
  // The worker obeys in the order in which it was told.
  t.deepEqual(await pool.apply('areOpen'), [true, false])
  t.is(other?.byteLength, 3)
  // This one was made by an earlier task, which is its owner.
  const again = await pool.apply('handKept')
  t.deepEqual(await pool.apply('areOpen'), [true, false])
  for (const memory of [kept, other, again]) memory?.close()
})

test('results of short tasks come while a long task runs behind them', async t => {
  const pool = poolFor(t, { workers: 1 })
  // From now on the worker gets tasks ahead.
  await Promise.all(Array.from({ length: 100 }, () => pool.apply('add', [1])))
  const begun = Value.create(null, 'int32')
  const short = Array.from({ length: 5 }, (_, n) => pool.apply('add', [n]))
  const long = pool.apply('spin', [begun])
  t.deepEqual(await Promise.all(short), [0, 1, 2, 3, 4])
  pool.terminate()
  await t.throwsAsync(() => long.get(), { code: 'ERR_CLOSED' })
  begun.close()
})

test('results that a worker had told before its death count', async t => {
  const pool = poolFor(t, { workers: 1 })
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 50 }, () => pool.apply('add', [1])))
    const before = Array.from({ length: 5 }, (_, n) => pool.apply('add', [n]))
    const killed = pool.apply('die', ['kill'])
    t.deepEqual(await Promise.all(before), [0, 1, 2, 3, 4])
    await t.throwsAsync(() => killed.get(), { code: 'ERR_WORKER_DIED' })
  }
})

test('a task tells how far it is', async t => {
  const pool = poolFor(t, { workers: 1 })
  const go = Value.create(null, 'int32')
  const task = pool.apply('steps', [go])
  const told: unknown[] = []
  const reading = (async () => {
    for await (const progress of task.progress) told.push(progress)
  })()
  go.set(1)
  await Promise.all([task, reading])
  t.deepEqual(told, [
    { done: 1, total: undefined, note: undefined },
    { done: 2, total: 3, note: 'half' },
    { done: 3, total: 3, note: { all: true } },
  ])
  go.close()
})

if (process.platform === 'linux') {
  test('a stopped worker is seen, and its other tasks are run elsewhere', async t => {
    stayAlive(t)
    const pool = poolFor(t, { workers: 2 })
    const begun = Value.create(null, 'int32')
    const stopped = once(pool, 'stopped')
    const task = pool.apply('stop', [begun])
    const others = Array.from({ length: 50 }, (_, i) => pool.apply('add', [i]))
    const [{ pid }] = (await stopped) as [{ pid: number }]
    t.is(pid, begun.get())
    t.deepEqual(
      await Promise.all(others),
      Array.from({ length: 50 }, (_, i) => i),
    )
    t.is(task.state, 'running')
    const continued = once(pool, 'continued')
    process.kill(pid, 'SIGCONT')
    t.is(await task, pid)
    await continued
    begun.close()
  })

  test('a worker that was stopped without a task gets none until it goes on', async t => {
    stayAlive(t)
    const pool = poolFor(t, { workers: 2 })
    const [one, other] = (await Promise.all([
      once(pool, 'ready'),
      new Promise(resolve => pool.once('ready', () => pool.once('ready', worker => resolve([worker])))),
    ])) as [[{ pid: number }], [{ pid: number }]]
    process.kill(one[0].pid, 'SIGSTOP')
    const pids = await Promise.all(Array.from({ length: 50 }, () => pool.apply('pid')))
    t.deepEqual(new Set(pids), new Set([other[0].pid]))
    process.kill(one[0].pid, 'SIGCONT')
    process.kill(other[0].pid, 'SIGSTOP')
    t.is(await pool.apply('pid'), one[0].pid)
    process.kill(other[0].pid, 'SIGCONT')
  })

  test('a stopped worker is killed if the pool says so', async t => {
    const pool = poolFor(t, { workers: 1, stopped: 'kill', retries: 0 })
    const begun = Value.create(null, 'int32')
    const task = pool.apply('stop', [begun])
    const next = pool.apply('add', [1])
    await t.throwsAsync(() => task.get(), { code: 'ERR_WORKER_DIED' })
    t.is(await next, 1)
    begun.close()
  })
}
