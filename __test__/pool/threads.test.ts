import '../helpers/domain.js'
import { threadId } from 'node:worker_threads'
import ava from 'ava'
import { list, Pool, Queue, SharedArray, Value, type WorkerDied } from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { poolFor } from './pools.js'

const test = ava.serial
const kind = 'thread'

test('tasks run in threads of this process, with handles open', async t => {
  const pool = poolFor(t, { kind })
  t.is(await pool.apply('pid'), process.pid)
  t.not(await pool.apply('thread'), threadId)
  t.deepEqual(await pool.map('square', [1, 2, 3]), [1, 4, 9])
  const array = SharedArray.create(null, 'int32', 2)
  const filled = pool.apply('fill', [array, 7])
  const again = SharedArray.open(array.name)
  array.close()
  await filled
  t.deepEqual(again.toArray(), [7, 7])
  again.close()
  const { memory } = await pool.apply('make')
  t.is(memory.byteLength, 3)
  memory.close()
})

test('an initializer gets handles, too', async t => {
  const begun = Value.create(null, 'int32', 41)
  const pool = poolFor(t, { kind, workers: 1, initializer: ['setUp', begun] })
  begun.close()
  t.is(await pool.apply('valueOfSetUp'), 41)
})

for (const [how, exitCode] of [
  ['exit', 3],
  ['throw', 1],
] as const) {
  test(`if a thread ends in a task, the task says so, and others go on: ${how}`, async t => {
    const pool = poolFor(t, { kind, workers: 1 })
    const lost = pool.apply('die', [how])
    const next = pool.apply('add', [1, 2])
    const error = (await t.throwsAsync(() => lost.get(), { code: 'ERR_WORKER_DIED' })) as WorkerDied
    t.is(error.exitCode, exitCode)
    t.is(error.signal, null)
    t.is(await next, 3)
  })
}

test('a thread that runs out of memory ends alone', async t => {
  const pool = poolFor(t, { kind, workers: 1, resourceLimits: { maxOldGenerationSizeMb: 16 } })
  const error = (await t.throwsAsync(() => pool.apply('hoard').get(), {
    code: 'ERR_WORKER_DIED',
  })) as WorkerDied
  t.true(error.outOfMemory)
  t.is(await pool.apply('add', [1, 2]), 3)
})

test('a thread in an endless loop is ended when its task is cancelled', async t => {
  using begun = Value.create(null, 'int32')
  const pool = poolFor(t, { kind, workers: 1, grace: 0 })
  const task = pool.apply('spin', [begun])
  const next = pool.apply('add', [1, 2])
  await pool.apply('add', [1], { signal: AbortSignal.abort() }).catch(() => undefined)
  while (begun.get() === 0) await new Promise(setImmediate)
  task.cancel('enough')
  t.is(await task.catch(reason => reason), 'enough')
  t.is(await next, 3)
})

test('the function hears an abort', async t => {
  using begun = Value.create(null, 'int32')
  using heard = Queue.create(null)
  const pool = poolFor(t, { kind, workers: 1, grace: 600_000 })
  const task = pool.apply('hear', [begun, heard])
  while (begun.get() === 0) await new Promise(setImmediate)
  task.cancel('enough')
  t.is(await task.catch(reason => reason), 'enough')
  t.is(await heard.get(), 'enough')
})

test('threads are replaced after so many tasks', async t => {
  const pool = poolFor(t, { kind, workers: 1, maxTasksPerWorker: 2 })
  const threads = [...Array(4)].map(() => pool.apply('thread'))
  t.is(new Set(await Promise.all(threads)).size, 2)
})

test('what is for processes is refused, and the other way round', async t => {
  const make = (options: object) => () => new Pool(fixture('pool/work'), options)
  const refused = { code: 'ERR_INVALID_ARG' }
  t.throws(make({ kind, cwd: '/' }), { ...refused, message: /^cwd is for processes/ })
  t.throws(make({ resourceLimits: {} }), { ...refused, message: /^resourceLimits is for threads/ })
  t.throws(make({ kind: 'fibre' }), { ...refused, message: /^kind is 'process' or 'thread', not 'fibre'/ })
  const pool = poolFor(t, { kind, execArgv: ['--max-old-space-size=100'] })
  await t.throwsAsync(() => pool.apply('add', [1]).get(), { ...refused, message: /^execArgv: / })
})

test('nothing is left of a pool of threads', async t => {
  // Threads of the pools of other tests may be about to end.
  const before = new Set(list().map(({ name }) => name))
  const pool = poolFor(t, { kind })
  t.is(await pool.apply('add', [1]), 1)
  pool.close()
  await pool.join()
  t.deepEqual(
    list().filter(({ name }) => !before.has(name)),
    [],
  )
})
