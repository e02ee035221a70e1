import '../helpers/domain.js'
import { AsyncLocalStorage } from 'node:async_hooks'
import ava from 'ava'
import { CrossmemError, gc, list, Pool, Process, Queue, SharedArray, Value, type WorkerDied } from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { poolFor } from './pools.js'

type Work = typeof import('../fixtures/pool/work.js')

const test = ava.serial

test('a function gets its arguments, and its result comes back', async t => {
  const pool = poolFor(t)
  t.is(await pool.apply('add', [40, 2]), 42)
  t.is(await pool.apply('add', [40]), 40)
  const args = [1, 'two', null, undefined, 3n, new Date(4), new Map([[5, new Set([6])]]), Float32Array.of(7)]
  t.deepEqual(await pool.apply('echo', args), args)
  t.deepEqual(await pool.apply('echo'), [])
  const large = new Uint8Array(10_000_000).fill(5)
  const [back] = (await pool.apply('echo', [large])) as [Uint8Array]
  t.is(Buffer.compare(back, large), 0)
})

test('results of map may be promises', async t => {
  const pool = poolFor(t)
  const items = Array.from({ length: 20 }, (_, n) => n)
  t.deepEqual(await pool.map('sameLater', items, { chunkSize: 7 }), items)
})

test('map and starMap have the results in the order of the items', async t => {
  const pool = poolFor(t)
  const items = Array.from({ length: 1000 }, (_, i) => i)
  const squares = items.map(i => i * i)
  t.deepEqual(await pool.map('square', items), squares)
  t.deepEqual(await pool.map('square', new Set(items), { chunkSize: 7 }), squares)
  t.deepEqual(await pool.map('square', []), [])
  t.deepEqual(await pool.starMap('add', [[1, 2], [3]]), [3, 3])
})

test('onProgress is told of each chunk', async t => {
  const pool = poolFor(t)
  const told: number[][] = []
  const onProgress = (...numbers: number[]) => void told.push(numbers)
  await pool.map('square', [1, 2, 3, 4, 5], { chunkSize: 2, onProgress })
  t.is(told.length, 3)
  t.deepEqual(told.at(-1), [5, 5])
})

test('what the function throws rejects the task, with the stack of the worker', async t => {
  const pool = poolFor(t)
  const error = await t.throwsAsync(() => pool.apply('fail', ['error']).get(), {
    instanceOf: RangeError,
    message: 'on purpose',
  })
  t.true(error?.cause instanceof TypeError)
  t.regex(error?.stack ?? '', /at fail .*work\.js/)
  await t.throwsAsync(() => pool.apply('fail', ['later']).get(), { instanceOf: RangeError })
  t.is(await pool.apply('fail', ['text']).catch((reason: unknown) => reason), 'on purpose')
  await t.throwsAsync(() => pool.apply('fail', ['unsendable']).get(), {
    code: 'ERR_INVALID_ARG',
    message: /^the result: value\.callback can't be sent/,
  })
  await t.throwsAsync(() => pool.apply('nothing' as 'add', [1]).get(), {
    code: 'ERR_INVALID_ARG',
    message: /work\.js exports no function "nothing"; it exports: add, /,
  })
  await t.throwsAsync(() => pool.apply('echo', [() => undefined]).get(), { code: 'ERR_INVALID_ARG' })
  t.is(await pool.apply('add', [1]), 1)
})

test('handles arrive open, in both directions', async t => {
  const pool = poolFor(t)
  const array = SharedArray.create(null, 'int32', 4)
  const filled = pool.apply('fill', [array, 7])
  const again = SharedArray.open(array.name)
  array.close()
  await filled
  t.deepEqual(again.toArray(), [7, 7, 7, 7])
  again.close()
  const { memory } = await pool.apply('make')
  t.is(memory.byteLength, 3)
  memory.close()
})

for (const [how, expected] of [
  ['kill', { exitCode: null, signal: 'SIGKILL', outOfMemory: false }],
  ['exit', { exitCode: 3, signal: null, outOfMemory: false }],
  ['abort', { exitCode: null, signal: 'SIGABRT', outOfMemory: false }],
  ['throw', { exitCode: 1, signal: null, outOfMemory: false }],
] as const) {
  test(`a worker that dies (${how}) takes only its task with it`, async t => {
    const pool = poolFor(t, { workers: 2 })
    const others = Array.from({ length: 100 }, (_, i) => pool.apply('add', [i]))
    const victim = pool.apply('die', [how])
    const more = Array.from({ length: 100 }, (_, i) => pool.apply('add', [i]))
    const error = await t.throwsAsync(() => victim.get(), { code: 'ERR_WORKER_DIED' })
    const { exitCode, signal, outOfMemory, task, attempts } = error as WorkerDied
    t.deepEqual({ exitCode, signal, outOfMemory }, expected)
    t.deepEqual([task, attempts], [victim.id, 1])
    const numbers = Array.from({ length: 100 }, (_, i) => i)
    t.deepEqual(await Promise.all(others), numbers)
    t.deepEqual(await Promise.all(more), numbers)
  })
}

test('a task is run again as often as it may be', async t => {
  const pool = poolFor(t, { retries: 2 })
  const deaths = Value.create(null, 'int32')
  t.is(await pool.apply('dieBefore', [2, deaths]), 3)
  deaths.set(0)
  const error = await t.throwsAsync(() => pool.apply('dieBefore', [9, deaths], { retries: 3 }).get())
  t.is((error as WorkerDied).attempts, 4)
  t.is(deaths.get(), 4)
  deaths.close()
})

test('an aborted task hears it, and rejects with the reason', async t => {
  const pool = poolFor(t)
  const [begun, heard] = [Value.create(null, 'int32'), Queue.create(null)]
  const aborting = new AbortController()
  const task = pool.apply('hear', [begun, heard], { signal: aborting.signal })
  while (begun.get() === 0) await new Promise(setImmediate)
  t.is(task.state, 'running')
  aborting.abort('enough')
  t.is(await task.catch((reason: unknown) => reason), 'enough')
  t.is(task.state, 'cancelled')
  t.is(await heard.get(), 'enough')
  t.is(await pool.apply('pid'), begun.get(), 'its worker lives')
  for (const handle of [begun, heard]) handle.close()
})

test('a task that does not end is killed with its worker, and no other task is', async t => {
  const pool = poolFor(t, { workers: 1, grace: 0 })
  const begun = Value.create(null, 'int32')
  const task = pool.apply('spin', [begun])
  const others = Array.from({ length: 20 }, (_, i) => pool.apply('add', [i]))
  while (begun.get() === 0) await new Promise(setImmediate)
  task.cancel()
  await t.throwsAsync(() => task.get(), { any: true, name: 'AbortError' })
  t.deepEqual(
    await Promise.all(others),
    Array.from({ length: 20 }, (_, i) => i),
  )
  t.not(await pool.apply('pid'), begun.get())
  begun.close()
})

test('a time-out ends a task', async t => {
  const pool = poolFor(t, { workers: 1, grace: 0 })
  const begun = Value.create(null, 'int32')
  await t.throwsAsync(() => pool.apply('spin', [begun], { timeout: 1 }).get(), { code: 'ERR_TIMEOUT' })
  begun.close()
})

test('tasks that wait can be cancelled', async t => {
  const pool = poolFor(t, { workers: 1 })
  const go = Value.create(null, 'int32')
  const first = pool.apply('until', [go])
  const task = pool.apply('add', [1])
  t.is(task.state, 'waiting')
  task.cancel('no more')
  t.is(await task.catch((reason: unknown) => reason), 'no more')
  t.is(
    await pool.apply('add', [1], { signal: AbortSignal.abort('at once') }).catch((reason: unknown) => reason),
    'at once',
  )
  go.set(1)
  await first
  go.close()
})

test('a pool that is closed runs what it has, and nothing else', async t => {
  const pool = poolFor(t)
  const tasks = Array.from({ length: 50 }, (_, i) => pool.apply('add', [i]))
  await t.throwsAsync(pool.join(), { code: 'ERR_BUSY' })
  pool.close()
  await t.throwsAsync(() => pool.apply('add', [1]).get(), { code: 'ERR_CLOSED' })
  await pool.join()
  t.deepEqual(
    await Promise.all(tasks),
    Array.from({ length: 50 }, (_, i) => i),
  )
})

test('long lists of numbers arrive whole, whether they are shared or copied', async t => {
  const items: unknown[] = Array.from({ length: 100_000 }, (_, i) => i / 3)
  items.splice(50_000, 4, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_VALUE)
  for (const options of [{}, { share: false }, { retries: 1 }]) {
    const pool = poolFor(t, { workers: 1, ...options })
    t.deepEqual(await pool.map('same', items), items)
    t.deepEqual(await pool.map('same', items, { chunkSize: 10_000 }), items)
    t.deepEqual(await pool.map('same', [...items, 'text'], { chunkSize: 50_000 }), [...items, 'text'])
  }
})

test('a pool that is terminated ends all at once', async t => {
  const pool = poolFor(t, { workers: 1 })
  const begun = Value.create(null, 'int32')
  const tasks = [pool.apply('spin', [begun]), pool.apply('add', [1])]
  while (begun.get() === 0) await new Promise(setImmediate)
  pool.terminate()
  for (const task of tasks) await t.throwsAsync(() => task.get(), { code: 'ERR_CLOSED' })
  await pool.join()
  t.throws(() => process.kill(begun.get(), 0), { code: 'ESRCH' })
  begun.close()
})

test('a module that cannot be loaded rejects the tasks', async t => {
  const missing = new Pool('./no-such-module.js', { workers: 1 })
  await t.throwsAsync(() => missing.apply('anything').get(), { code: 'ERR_NOT_FOUND' })
  await missing.join()
  const dies = new Pool(new URL('data:text/javascript,console.error("no luck"); process.exit(7)'), {
    workers: 1,
  })
  const error = await t.throwsAsync(() => dies.apply('anything').get(), { code: 'ERR_WORKER_DIED' })
  t.regex(
    error?.message ?? '',
    /^3 workers in a row ended before they were ready; .*exit code 7; it wrote:\nno luck$/s,
  )
  t.is((error as WorkerDied).exitCode, 7)
  await t.throwsAsync(() => dies.apply('anything').get(), { code: 'ERR_WORKER_DIED' })
})

test('what is wrong with a call is told', async t => {
  const pool = poolFor(t)
  const refused = { instanceOf: CrossmemError, code: 'ERR_INVALID_ARG' }
  const apply =
    (...args: unknown[]) =>
    () =>
      (pool.apply as (...args: unknown[]) => Promise<unknown>)(...args)
  await t.throwsAsync(
    apply(() => 1),
    { ...refused, message: /functions don't travel/ },
  )
  await t.throwsAsync(apply('add', 1), { ...refused, message: /args is an array/ })
  await t.throwsAsync(apply('add', [], { priority: Number.NaN }), refused)
  await t.throwsAsync(apply('add', [], { signal: 1 }), refused)
  await t.throwsAsync(pool.map('add', 5 as never), refused)
  await t.throwsAsync(pool.starMap('add', [5 as never]), refused)
  t.throws(() => new Pool((() => 1) as never), refused)
  t.throws(() => new Pool<Work>(fixture('pool/work'), { workers: 0 }), refused)
})

test("the caller's context is there after await and in callbacks", async t => {
  const pool = poolFor(t)
  const contexts = new AsyncLocalStorage<string>()
  const seen = await Promise.all(
    ['one', 'two'].map(name =>
      contexts.run(name, async () => {
        const told: unknown[] = []
        await pool.map('square', [1, 2, 3], { onProgress: () => told.push(contexts.getStore()) })
        await pool.apply('add', [1])
        return [...new Set(told), contexts.getStore()]
      }),
    ),
  )
  t.deepEqual(seen, [
    ['one', 'one'],
    ['two', 'two'],
  ])
})

test('a pool that was forgotten does not keep its process alive', async t => {
  const forgetful = Process.start(fixture('pool/forget'), { run: 'forget' })
  t.true(Number(await forgetful.result) > 0)
  await forgetful.join()
  t.is(forgetful.exitCode, 0)
})

test('a pool ends with its block', async t => {
  let pid = 0
  {
    await using pool = new Pool<Work>(fixture('pool/work'), { workers: 1 })
    pid = await pool.apply('pid')
  }
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('nothing is left of a pool', async t => {
  while (list().length > 0) {
    gc()
    await new Promise(setImmediate)
  }
  t.pass()
})
