// What makes the field's pools wait for ever, lose tasks or touch the wrong ones, one test each.
import '../helpers/domain.js'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ava, { type ExecutionContext } from 'ava'
import { Mutex, Pool, type PoolOptions, Process, Queue, type Task, Value, type WorkerDied } from 'crossmem'
import { folder } from '../helpers/folder.js'
import { fixture } from '../helpers/paths.js'
import { isPending } from '../helpers/pending.js'

type Hangs = typeof import('../fixtures/pool/hangs.js')

const test = ava.serial
const linuxTest = process.platform === 'linux' ? test : test.skip

const hangs = fixture('pool/hangs')

function poolFor(t: ExecutionContext, options?: PoolOptions, module = hangs): Pool<Hangs> {
  const pool = new Pool<Hangs>(module, { workers: 2, ...options })
  t.teardown(() => pool.terminate())
  return pool
}

function queueFor<T>(t: ExecutionContext): Queue<T> {
  const queue = Queue.create<T>(null)
  t.teardown(() => queue.close())
  return queue
}

/** The task rejects because its worker died. */
async function died(t: ExecutionContext, task: Task, facts: Partial<WorkerDied>): Promise<WorkerDied> {
  const error = (await t.throwsAsync(task.get(), { code: 'ERR_WORKER_DIED' })) as WorkerDied
  const { exitCode, signal, task: id, attempts } = error
  t.like({ exitCode, signal, task: id, attempts }, { task: task.id, attempts: 1, ...facts })
  return error
}

const KILLED = { exitCode: null, signal: 'SIGKILL' } as const

for (const how of ['idle', 'busy'] as const) {
  test(`a worker is killed that has a task and is ${how}`, async t => {
    const told = queueFor<number>(t)
    const pool = poolFor(t, { workers: 1 })
    const task = pool.apply('stay', [told, how])
    const others = Array.from({ length: 20 }, (_, i) => pool.apply('echo', [i]))
    const victim = await told.get()
    process.kill(victim, 'SIGKILL')
    await died(t, task, KILLED)
    t.deepEqual(
      await Promise.all(others),
      others.map((_, i) => i),
    )
    t.not(await pool.apply('pid'), victim)
  })
}

test('a worker is killed that has no task', async t => {
  const pool = poolFor(t, { workers: 1 })
  for (let i = 0; i < 5; i++) {
    const victim = await pool.apply('pid')
    process.kill(victim, 'SIGKILL')
    t.not(await pool.apply('pid'), victim)
  }
})

test('a worker is killed while it starts', async t => {
  const [told, gate] = [queueFor<number>(t), queueFor<number>(t)]
  const pool = poolFor(t, { workers: 1, initializer: ['setUp', told, gate] })
  const task = pool.apply('echo', ['result'])
  for (const _ of [1, 2]) process.kill(await told.get(), 'SIGKILL')
  await told.get()
  t.true(await isPending(task))
  await gate.put(1)
  t.is(await task, 'result')
})

test('workers that end while they start fail the pool, and say why', async t => {
  const pool = poolFor(t, { initializer: 'failToStart' })
  const tasks = [1, 2, 3].map(i => pool.apply('echo', [i]))
  for (const task of tasks) {
    const error = await t.throwsAsync(task.get(), {
      code: 'ERR_WORKER_DIED',
      message: /no start, on purpose/,
    })
    t.is((error as WorkerDied).exitCode, 7)
  }
  await t.throwsAsync(pool.apply('echo', [4]).get())
  pool.close()
  await pool.join()
})

const ENDS = [
  ['exit', { exitCode: 3, signal: null }],
  ['exit 0', { exitCode: 0, signal: null }],
  ['abort', { exitCode: null, signal: 'SIGABRT' }],
  ['throw', { exitCode: 1, signal: null }],
  ['reject', { exitCode: 1, signal: null }],
] as const

for (const [how, facts] of ENDS) {
  test(`a task ends its process: ${how}`, async t => {
    const pool = poolFor(t, { workers: 1 })
    const tasks = [pool.apply('end', [how]), pool.apply('echo', [1])] as const
    const error = await died(t, tasks[0], facts)
    t.false(error.outOfMemory)
    t.is(await tasks[1], 1)
  })
}

test('a worker runs out of memory', async t => {
  const pool = poolFor(t, { workers: 1, execArgv: ['--max-old-space-size=24'] })
  const tasks = [pool.apply('fillHeap'), pool.apply('echo', [1])] as const
  const error = await died(t, tasks[0], { exitCode: null, signal: 'SIGABRT' })
  t.true(error.outOfMemory)
  t.is(await tasks[1], 1)
})

test('a worker is stopped: its task waits until it continues, and others go on', async t => {
  const told = queueFor<number>(t)
  const gate = queueFor<number>(t)
  const pool = poolFor(t)
  const task = pool.apply('wait', [told, gate])
  const stopped = await told.get()
  process.kill(stopped, 'SIGSTOP')
  await gate.put(42)
  for (let i = 0; i < 20; i++) t.not(await pool.apply('pid'), stopped)
  t.true(await isPending(task))
  process.kill(stopped, 'SIGCONT')
  t.is(await task, 42)
})

test('a worker is stopped that has no task: others run the tasks', async t => {
  const told = queueFor<number>(t)
  const gate = queueFor<number>(t)
  const pool = poolFor(t)
  const both = [1, 2].map(() => pool.apply('wait', [told, gate]))
  const pids = [await told.get(), await told.get()]
  for (const i of [1, 2]) await gate.put(i)
  await Promise.all(both)
  for (const stopped of pids) {
    process.kill(stopped, 'SIGSTOP')
    for (let i = 0; i < 5; i++) t.not(await pool.apply('pid'), stopped)
    process.kill(stopped, 'SIGCONT')
  }
  const again = [1, 2].map(() => pool.apply('wait', [told, gate]))
  t.deepEqual([await told.get(), await told.get()].sort(), pids.sort())
  for (const i of [1, 2]) await gate.put(i)
  await Promise.all(again)
})

linuxTest("a worker that is stopped is killed if the pool says so: { stopped: 'kill' }", async t => {
  const pool = poolFor(t, { workers: 1, stopped: 'kill' })
  const tasks = [pool.apply('stop'), pool.apply('echo', [1])] as const
  await died(t, tasks[0], KILLED)
  t.is(await tasks[1], 1)
})

test('a stopped worker is aborted, and terminated', async t => {
  const told = queueFor<number>(t)
  const pool = poolFor(t, { workers: 1, grace: 0 })
  const control = new AbortController()
  const task = pool.apply('stay', [told], { signal: control.signal })
  process.kill(await told.get(), 'SIGSTOP')
  control.abort()
  await t.throwsAsync(task.get(), { any: true, name: 'AbortError' })
  t.is(await pool.apply('echo', [1]), 1)
  const last = pool.apply('stay', [told])
  process.kill(await told.get(), 'SIGSTOP')
  pool.terminate()
  await t.throwsAsync(last.get(), { code: 'ERR_CLOSED' })
  await pool.join()
})

test('all workers are killed at once', async t => {
  const told = queueFor<number>(t)
  const pool = poolFor(t, { workers: 4 })
  for (let round = 0; round < 3; round++) {
    const tasks = Array.from({ length: 4 }, () => pool.apply('stay', [told]))
    const others = Array.from({ length: 8 }, (_, i) => pool.apply('echo', [i]))
    const pids: number[] = []
    while (pids.length < 4) pids.push(await told.get())
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    for (const task of tasks) await died(t, task, KILLED)
    t.deepEqual(await Promise.all(others), [0, 1, 2, 3, 4, 5, 6, 7])
  }
})

for (const how of ['idle', 'busy'] as const) {
  test(`a task that never ends is aborted, and is ${how}`, async t => {
    const told = queueFor<number>(t)
    const pool = poolFor(t, { workers: 1, grace: 10 })
    const control = new AbortController()
    const task = pool.apply('stay', [told, how], { signal: control.signal })
    const next = pool.apply('echo', [1])
    const victim = await told.get()
    const reason = new RangeError('enough')
    control.abort(reason)
    t.is(await t.throwsAsync(task.get(), { instanceOf: RangeError }), reason)
    t.is(await next, 1)
    t.not(await pool.apply('pid'), victim)
    const late = pool.apply('stay', [told, how], { timeout: 1 })
    await t.throwsAsync(late.get(), { code: 'ERR_TIMEOUT' })
    t.is(await pool.apply('echo', [2]), 2)
  })
}

test('a task that hears its abort keeps its worker', async t => {
  const told = queueFor<number>(t)
  const pool = poolFor(t, { workers: 1, grace: 1e6 })
  for (let i = 0; i < 3; i++) {
    const control = new AbortController()
    const task = pool.apply('untilAborted', [told], { signal: control.signal })
    const worker = await told.get()
    control.abort()
    await t.throwsAsync(task.get(), { any: true, name: 'AbortError' })
    t.is(await pool.apply('pid'), worker)
  }
})

test('an abort in the moment when a task ends does not touch the next one', async t => {
  const pool = poolFor(t, { workers: 1, grace: 0 })
  let aborted = 0
  for (let round = 0; round < 100; round++) {
    const control = new AbortController()
    const first = pool.apply('work', [round % 100], { signal: control.signal })
    const next = [pool.apply('echo', [round]), pool.apply('echo', [-round])]
    const settled = first.get().then(
      () => 'returned',
      (error: Error) => error.name,
    )
    const end = performance.now() + Math.random() * 0.3
    while (performance.now() < end) await new Promise(setImmediate)
    control.abort()
    const outcome = await settled
    if (outcome === 'AbortError') aborted++
    else t.is(outcome, 'returned')
    t.deepEqual(await Promise.all(next), [round, -round])
  }
  t.log(`${aborted} of 100 tasks were aborted`)
})

test('a result that cannot be encoded rejects its task alone', async t => {
  const pool = poolFor(t, { workers: 1 })
  const worker = await pool.apply('pid')
  const tasks = [pool.apply('unsendable'), pool.apply('echo', [1])]
  await t.throwsAsync((tasks[0] as Task).get(), {
    code: 'ERR_INVALID_ARG',
    message: /callback can't be sent/,
  })
  t.is(await tasks[1], 1)
  t.is(await pool.apply('pid'), worker)
})

test('an argument that cannot be encoded or decoded rejects its task alone', async t => {
  const deep = 950
  let nested: unknown[] = []
  for (let i = 1; i < deep; i++) nested = [nested]
  // The workers have a smaller stack than this process.
  const pool = poolFor(t, { workers: 1, execArgv: ['--stack-size=200'] })
  const worker = await pool.apply('pid')
  const tasks = [pool.apply('depth', [nested]), pool.apply('echo', [1])]
  await t.throwsAsync((tasks[0] as Task).get(), { code: 'ERR_CORRUPT' })
  t.is(await tasks[1], 1)
  const unsendable = pool.apply('echo', [() => undefined])
  await t.throwsAsync(unsendable.get(), { code: 'ERR_INVALID_ARG' })
  t.is(await pool.apply('pid'), worker)
  const roomy = poolFor(t, { workers: 1 })
  t.is(await roomy.apply('depth', [nested]), deep)
})

test('what is wrong with a module is told, and no worker is started for ever', async t => {
  const path = folder(t)
  const write = (name: string, code: string): string => {
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, name), code)
    return join(path, name)
  }
  const modules: [module: string, expected: { code?: string; name?: string; message?: RegExp }][] = [
    [join(path, 'none.mjs'), { code: 'ERR_NOT_FOUND' }],
    [write('throws.mjs', 'throw new RangeError("while loading")'), { name: 'RangeError' }],
    [write('syntax.mjs', 'let let'), { name: 'SyntaxError' }],
    [write('exits.mjs', 'console.error("leaving"); process.exit(9)'), { message: /leaving/ }],
    [write('dies.mjs', 'process.kill(process.pid, "SIGKILL")'), { code: 'ERR_WORKER_DIED' }],
  ]
  for (const [module, expected] of modules) {
    const pool = poolFor(t, { workers: 1 }, module)
    await t.throwsAsync(pool.apply('pid').get(), expected, module)
    await t.throwsAsync(pool.map('square', [1, 2, 3]), expected, module)
    pool.close()
    await pool.join()
  }
  const pool = poolFor(t, { workers: 1 })
  const worker = await pool.apply('pid')
  await t.throwsAsync(pool.apply('nothing' as 'pid').get(), {
    code: 'ERR_INVALID_ARG',
    message: /it exports: /,
  })
  t.is(await pool.apply('pid'), worker)
})

test('a task has a pool', async t => {
  const pool = poolFor(t, { workers: 2 })
  const inner = [1, 2, 3].map(i => pool.apply('squaresOfAPool', [[i, 10 * i]]))
  t.deepEqual(await Promise.all(inner), [
    [1, 100],
    [4, 400],
    [9, 900],
  ])
})

test('a pool of a pool ends with the worker that has it', async t => {
  const told = queueFor<number>(t)
  const mutexes = [Mutex.create(null), Mutex.create(null)]
  for (const mutex of mutexes) t.teardown(() => mutex.close())
  const pool = poolFor(t, { workers: 1 })
  const task = pool.apply('poolThatHolds', [mutexes, told, 'busy'])
  while ((await told.get()) !== -1);
  const worker = pool.apply('pid')
  task.cancel()
  await t.throwsAsync(task.get(), { any: true, name: 'AbortError' })
  await worker
  for (const mutex of mutexes) t.true((await mutex.lock()).ownerDied)
})

test('a pool is closed while tasks wait: they all run, and no more are taken', async t => {
  using runs = Value.create(null, 'int32')
  const pool = poolFor(t)
  const tasks = Array.from({ length: 100 }, () => pool.apply('count', [runs]))
  pool.close()
  await t.throwsAsync(pool.apply('count', [runs]).get(), { code: 'ERR_CLOSED' })
  await pool.join()
  await Promise.all(tasks)
  t.is(runs.value, 100)
})

test('a pool is closed, and a worker that has tasks is killed', async t => {
  const told = queueFor<number>(t)
  const pool = poolFor(t, { workers: 1 })
  const task = pool.apply('stay', [told])
  const others = [1, 2, 3].map(i => pool.apply('echo', [i]))
  pool.close()
  process.kill(await told.get(), 'SIGKILL')
  await died(t, task, KILLED)
  t.deepEqual(await Promise.all(others), [1, 2, 3])
  await pool.join()
})

test('a pool is terminated while tasks wait: all reject', async t => {
  const told = queueFor<number>(t)
  const pool = poolFor(t)
  const running = [1, 2].map(() => pool.apply('stay', [told, 'busy']))
  for (const _ of running) await told.get()
  const waiting = Array.from({ length: 10 }, () => pool.apply('pid'))
  const all = Promise.allSettled([...running, ...waiting])
  pool.terminate()
  for (const { reason } of (await all) as PromiseRejectedResult[]) t.is(reason?.code, 'ERR_CLOSED')
  await pool.join()
})

for (const how of ['idle', 'busy'] as const) {
  test(`the process of the pool is killed, and is ${how}: no worker is left`, async t => {
    const told = queueFor<number>(t)
    const mutexes = [Mutex.create(null), Mutex.create(null), Mutex.create(null)]
    for (const mutex of mutexes) t.teardown(() => mutex.close())
    const parent = Process.start(hangs, { run: 'poolThatHolds', args: [mutexes, told, how] })
    t.teardown(() => parent.kill())
    while ((await told.get()) !== -1);
    for (const mutex of mutexes) t.true(mutex.isLocked)
    parent.kill()
    await parent.join()
    for (const mutex of mutexes) t.true((await mutex.lock()).ownerDied)
  })
}

for (const how of ['exit', 'throw', 'abort', 'the end'] as const) {
  test(`the process of the pool ends beside tasks: ${how}; no worker is left`, async t => {
    const told = queueFor<number>(t)
    const mutex = Mutex.create(null)
    t.teardown(() => mutex.close())
    const options = { run: 'poolThatEnds', args: [mutex, told, how], stdio: 'ignore' } as const
    const parent = Process.start(hangs, options)
    t.teardown(() => parent.kill())
    while ((await told.get()) !== -1);
    await parent.join()
    t.true((await mutex.lock()).ownerDied)
  })
}

test('a process that a task started ends with its worker', async t => {
  const told = queueFor<number>(t)
  const mutex = Mutex.create(null)
  t.teardown(() => mutex.close())
  const pool = poolFor(t, { workers: 1 })
  await pool.apply('startProcess', [mutex, told])
  await told.get()
  process.kill(await pool.apply('pid'), 'SIGKILL')
  t.true((await mutex.lock()).ownerDied)
})
