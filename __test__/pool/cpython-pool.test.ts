// What Python promises of multiprocessing.Pool, promised by ours. Each test names the one in
// CPython's Lib/test/_test_multiprocessing.py that it follows.
import '../helpers/domain.js'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import ava, { type ExecutionContext } from 'ava'
import { Event, Pool, type PoolOptions, Queue, Value } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { fixture } from '../helpers/paths.js'
import { isPending } from '../helpers/pending.js'

type Work = typeof import('../fixtures/pool/cpython.js')

const test = ava.serial

function poolFor(t: ExecutionContext, options?: PoolOptions): Pool<Work> {
  const pool = new Pool<Work>(fixture('pool/cpython'), { workers: 2, ...options })
  t.teardown(() => pool.terminate())
  return pool
}

const squares = (length: number): number[] => range(length).map(x => x * x)

/** Yields so many numbers, and throws then. */
function* failing(count: number): Generator<number> {
  yield* range(count)
  throw new RangeError('say when')
}

// _TestPool.test_apply
test('apply calls a function with its arguments', async t => {
  const pool = poolFor(t)
  t.is(await pool.apply('square', [5]), 25)
  t.is(await pool.apply('square', [5, 1]), 25)
  t.is(await pool.apply('multiply', [6, 7]), 42)
})

// _TestPool.test_map, test_map_chunksize
test('map takes any number of items, in chunks of any size', async t => {
  const pool = poolFor(t)
  t.deepEqual(await pool.map('square', range(10)), squares(10))
  t.deepEqual(await pool.map('square', range(100), { chunkSize: 20 }), squares(100))
  t.deepEqual(await pool.map('square', [], { chunkSize: 1 }), [])
  t.deepEqual(await pool.map('square', range(3), { chunkSize: 1000 }), squares(3))
})

// _TestPool.test_starmap, test_starmap_async
test('starMap takes lists of arguments', async t => {
  const pool = poolFor(t)
  const pairs = range(10).map((x): [number, number] => [x, 9 - x])
  const products = pairs.map(([x, y]) => x * y)
  t.deepEqual(await pool.starMap('multiply', pairs), products)
  const hundred = range(100).map((x): [number, number] => [x, 99 - x])
  const expected = hundred.map(([x, y]) => x * y)
  t.deepEqual(await pool.starMap('multiply', hundred, { chunkSize: 20 }), expected)
  const [both, other] = await Promise.all([pool.starMap('multiply', pairs), pool.starMap('multiply', pairs)])
  t.deepEqual([both, other], [products, products])
})

// _TestPool.test_map_async_callbacks, test_async_callback,
// TestPoolWorkerErrors.test_async_error_callback
test('callbacks get the result or the error', async t => {
  const pool = poolFor(t, { workers: 1 })
  const called: unknown[] = []
  await pool.apply('square', [1]).then(result => called.push(result))
  await pool.map('square', [2]).then(result => called.push(...result))
  await pool.apply('raise').catch(error => called.push((error as Error).message))
  await pool.map('fails', [3]).catch(error => called.push((error as Error).message))
  await pool.apply('pid').finally(() => called.push('finally'))
  t.deepEqual(called, [1, 4, 'say when', 'say when', 'finally'])
})

// _TestPool.test_map_unplicklable
test('a map whose items cannot be sent fails, and the pool goes on', async t => {
  const pool = poolFor(t)
  const items = [1, () => undefined, 3]
  await t.throwsAsync(pool.map('identity', items), { code: 'ERR_INVALID_ARG' })
  t.deepEqual(await pool.map('square', range(3)), squares(3))
})

// _TestPool.test_map_handle_iterable_exception
test('what an iterable of items throws rejects the map', async t => {
  const pool = poolFor(t)
  for (const count of [0, 1, 10]) {
    const options = { chunkSize: 1 }
    await t.throwsAsync(pool.map('square', failing(count), options), { instanceOf: RangeError })
  }
  t.is(await pool.apply('square', [3]), 9)
})

// _TestPool.test_async
test('a task tells whether it has a result', async t => {
  using event = Event.create(null)
  const pool = poolFor(t)
  const task = pool.apply('waitFor', [event])
  t.false(task.ready())
  t.throws(() => task.successful(), { code: 'ERR_BUSY' })
  t.true(await isPending(task))
  event.set()
  t.is(await task.get(), 'set')
  t.deepEqual([task.ready(), task.successful()], [true, true])
  const failed = pool.apply('raise')
  await failed.wait()
  t.deepEqual([failed.ready(), failed.successful()], [true, false])
  await t.throwsAsync(failed.get(), { instanceOf: RangeError })
})

// _TestPool.test_async_timeout
test('a result is waited for as long as asked, and the task goes on', async t => {
  using event = Event.create(null)
  const pool = poolFor(t)
  const task = pool.apply('waitFor', [event])
  for (const timeout of [0, 1, 20]) {
    await t.throwsAsync(task.get(timeout), { code: 'ERR_TIMEOUT' })
    t.is(await task.wait(timeout), undefined)
  }
  event.set()
  t.is(await task.get(600_000), 'set')
})

// _TestPool.test_make_pool
test('a pool has at least one worker', async t => {
  for (const workers of [0, -1, 1.5, Number.NaN, '3']) {
    const options = { workers: workers as number }
    t.throws(() => new Pool(fixture('pool/cpython'), options), { code: 'ERR_INVALID_ARG' }, String(workers))
  }
  const pool = poolFor(t, { workers: 3 })
  pool.close()
  await pool.join()
})

// _TestPool.test_terminate
test('terminate ends what runs and what waits', async t => {
  using begun = Value.create(null, 'int32')
  const pool = poolFor(t, { workers: 2 })
  const mapped = pool.map('stay', new Array(1000).fill(begun), { chunkSize: 1 })
  const rejected = t.throwsAsync(mapped, { code: 'ERR_CLOSED' })
  while (begun.value < 2) await new Promise(setImmediate)
  pool.terminate()
  await pool.join()
  await rejected
  t.is(begun.value, 2)
})

// _TestPool.test_empty_iterable
test('no items have no results', async t => {
  const pool = poolFor(t, { workers: 1 })
  t.deepEqual(await pool.map('square', []), [])
  t.deepEqual(await pool.starMap('square', []), [])
  pool.close()
  await pool.join()
})

// _TestPool.test_context, test_enter
test('the end of a using block terminates the pool', async t => {
  let pool: Pool<Work>
  {
    await using inner = new Pool<Work>(fixture('pool/cpython'), { workers: 2 })
    pool = inner
    t.deepEqual(await pool.map('square', range(10)), squares(10))
  }
  await t.throwsAsync(pool.map('square', range(10)), { code: 'ERR_CLOSED' })
  await t.throwsAsync(pool.apply('square', [1]).get(), { code: 'ERR_CLOSED' })
  pool.terminate()
  pool.close()
  await pool.join()
})

// _TestPool.test_traceback
test('an error has the stack of the worker, and its cause', async t => {
  const pool = poolFor(t, { workers: 1 })
  const error = await t.throwsAsync(pool.apply('raise').get(), { instanceOf: RangeError })
  t.regex(error?.stack ?? '', /at raise .*cpython\.js/)
  t.regex((await t.throwsAsync(pool.map('fails', [3])))?.stack ?? '', /at fails .*cpython\.js/)
  // _TestPool.test_wrapped_exception
  const wrapped = await t.throwsAsync(pool.apply('raiseWithCause').get(), { message: 'a wrapper' })
  t.true(wrapped?.cause instanceof RangeError)
})

// _TestPool.test_map_no_failfast: Python's map runs on after a failure; ours cancels the rest.
test('a map fails when an item has, and the pool goes on', async t => {
  const pool = poolFor(t)
  await t.throwsAsync(pool.map('fails', range(1000), { chunkSize: 1 }), { instanceOf: RangeError })
  t.deepEqual(await pool.map('square', range(10)), squares(10))
})

// _TestPool.test_release_task_refs
test('the arguments of a task are not kept by the pool', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const pool = poolFor(t, { workers: 1 })
  const sent = await (async () => {
    const items = range(10).map(x => ({ x }))
    await pool.map('identity', items)
    for (const item of items) await pool.apply('identity', [item])
    return items.map(item => new WeakRef(item))
  })()
  await pool.apply('pid')
  await new Promise(setImmediate)
  collect()
  t.deepEqual(
    sent.filter(ref => ref.deref()),
    [],
  )
})

// TestPoolWorkerErrors.test_unpickleable_result
test('results that cannot be sent are errors, one after the other', async t => {
  const pool = poolFor(t, { workers: 2 })
  for (const _ of range(20)) {
    await t.throwsAsync(pool.apply('unsendable').get(), { code: 'ERR_INVALID_ARG' })
  }
  t.is(await pool.apply('square', [2]), 4)
})

// TestPoolWorkerLifetime.test_pool_worker_lifetime
test('workers are replaced after so many tasks', async t => {
  const pool = poolFor(t, { maxTasksPerWorker: 10 })
  const tasks = range(30).map(i => pool.apply('square', [i]))
  t.deepEqual(await Promise.all(tasks), squares(30))
  const pids = await Promise.all(range(30).map(() => pool.apply('pid')))
  t.true(new Set(pids).size >= 3)
  for (const pid of new Set(pids)) t.true(pids.filter(other => other === pid).length <= 10)
})

// TestPoolWorkerLifetime.test_pool_worker_lifetime_early_close
test('a pool that is closed replaces workers until all tasks are done', async t => {
  const pool = poolFor(t, { maxTasksPerWorker: 1 })
  const tasks = range(6).map(i => pool.apply('square', [i, 1]))
  pool.close()
  await pool.join()
  t.deepEqual(await Promise.all(tasks), squares(6))
})

// TestPoolWorkerLifetime.test_pool_maxtasksperchild_invalid
test('the limit of tasks is a number from 1 up', t => {
  for (const maxTasksPerWorker of [0, -1, '12', Number.NaN]) {
    const options = { maxTasksPerWorker: maxTasksPerWorker as number }
    t.throws(() => new Pool(fixture('pool/cpython'), options), { code: 'ERR_INVALID_ARG' })
  }
})

// TestPoolWorkerLifetime.test_worker_finalization_via_atexit_handler_of_multiprocessing
test('a worker that ends runs its exit listeners', async t => {
  using told = Queue.create<string>(null)
  const pool = poolFor(t, { workers: 1 })
  await pool.apply('tellExit', [told])
  pool.close()
  t.is(await told.get(), 'exit')
  await pool.join()
})

// TestInitializers.test_pool_initializer
test('each worker calls the initializer once', async t => {
  using counter = Value.create(null, 'int32')
  t.throws(() => poolFor(t, { initializer: 1 as never }), { code: 'ERR_INVALID_ARG' })
  const pool = poolFor(t, { workers: 1, initializer: ['initialize', counter, 7] })
  t.is(await pool.apply('initial'), 7)
  t.is(await pool.apply('initial'), 7)
  pool.close()
  await pool.join()
  t.is(counter.value, 1)
})

// _TestPool.test_pool_context_in_child, TestNoForkBomb
test('a worker may have a pool, and its module is loaded once', async t => {
  const pool = poolFor(t, { workers: 1 })
  t.deepEqual(await pool.apply('nested', [range(5)]), squares(5))
  t.true(await pool.apply('isTask'))
})
