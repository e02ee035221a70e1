import '../helpers/domain.js'
import ava from 'ava'
import { list, open, Pool, Process, Queue, SharedArray, type Task, Value } from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { startTarget } from '../processes/targets.js'
import { poolFor } from './pools.js'

type Work = typeof import('../fixtures/pool/work.js')

const test = ava.serial
const feeders = fixture('pool/feeders')

test('another process gives tasks to a pool, and gets results and errors', async t => {
  const pool = poolFor(t)
  const child = Process.start(feeders, { run: 'useAll', args: [pool] })
  t.teardown(() => child.kill())
  const { workers, ...seen } = (await child.result) as Record<string, unknown> & { workers: number[] }
  t.deepEqual(seen, {
    sum: 42,
    squares: [1, 4, 9],
    sums: [3, 7],
    lazily: [1, 4, 9],
    filled: [7, 7],
    made: 3,
    progress: [{ done: 1, total: 2, note: 'half' }],
    error: ['RangeError', 'on purpose'],
    death: ['ERR_WORKER_DIED', 'SIGKILL'],
    timeout: 'ERR_TIMEOUT',
    cancelled: 'enough',
    refused: 'ERR_INVALID_ARG',
  })
  t.false(workers.includes(child.pid as number))
})

test('a reference makes a client in this process, too', async t => {
  const pool = poolFor(t)
  const client = open(JSON.parse(JSON.stringify(pool)) as { crossmem: 'Pool'; name: string })
  t.is(await client.apply('add', [40, 2]), 42)
  const aborted = client.apply('add', [1], { signal: AbortSignal.abort('enough') })
  t.is(await aborted.catch((reason: unknown) => reason), 'enough')
  t.is((aborted as Task).state, 'cancelled')
  client.close()
  await t.throwsAsync(client.apply('add', [1]), { code: 'ERR_CLOSED' })
  using typed = Pool.open<Work>(pool.name)
  t.is(await typed.apply('add', [40, 2]), 42)
  t.throws(() => Pool.open('nothing'), { code: 'ERR_NOT_FOUND' })
})

test("a client's task runs when its pool says so", async t => {
  const pool = poolFor(t)
  using client = Pool.open<Work>(pool.name)
  using gate = Value.create(null, 'int32')
  const task: Task = client.apply('until', [gate])
  const state = (): string => task.state
  t.is(state(), 'waiting')
  while (state() !== 'running') await new Promise(setImmediate)
  gate.set(1)
  await task
  t.is(state(), 'done')
})

test('a client heeds what its pool says of sharing and of retries', async t => {
  const large = new Uint8Array(1 << 17)
  for (const options of [{ retries: 1 }, { retries: 1, share: false }, { retries: 0 }]) {
    const pool = poolFor(t, { workers: 1, ...options })
    using client = Pool.open<Work>(pool.name)
    using deaths = Value.create(null, 'int32')
    // The first worker changes the array and dies; the next one gets what was sent.
    const { retries } = options
    t.is(await client.apply('spoil', [large, deaths], retries === 0 ? { retries: 1 } : {}), 0)
    t.is(deaths.get(), 1)
    await client.map(
      'square',
      Array.from({ length: 8 }, (_, n) => n),
    )
    // Four chunks for each worker of the pool.
    t.is(pool.stats().done, 1 + 4)
  }
  const pool = poolFor(t, { share: false })
  using client = Pool.open<Work>(pool.name)
  t.false(await client.apply('isShared', [large]))
  using other = Pool.open<Work>(poolFor(t).name)
  t.true(await other.apply('isShared', [large]))
})

test('if a client is killed, its tasks are cancelled, and others go on', async t => {
  using begun = Value.create(null, 'int32')
  using heard = Queue.create(null)
  const pool = poolFor(t, { workers: 1, grace: 600_000 })
  const child = Process.start(feeders, { run: 'giveAndStay', args: [pool, begun, heard] })
  while (begun.get() === 0) await new Promise(setImmediate)
  child.kill()
  // The function hears the abort, and ends.
  t.is(((await heard.get()) as Error).name, 'AbortError')
  await child.join()
  while (pool.stats().cancelled < 3) await new Promise(setImmediate)
  t.is(await pool.apply('add', [1, 2]), 3)
})

test('if the process of the pool is killed, the tasks of its clients reject', async t => {
  using names = Queue.create<string>(null)
  const child = startTarget(t, 'havePool', [fixture('pool/work'), names])
  using client = Pool.open<Work>(await names.get())
  using other = Pool.open<Work>(client.name)
  t.is(await client.apply('add', [1, 2]), 3)
  using begun = Value.create(null, 'int32')
  using gate = Value.create(null, 'int32')
  const lost = [client.apply('until', [gate, begun]), other.apply('until', [gate, begun])]
  while (begun.get() === 0) await new Promise(setImmediate)
  child.kill()
  for (const task of lost) await t.throwsAsync(() => task.get(), { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(() => client.apply('add', [1]).get(), { code: 'ERR_PEER_DIED' })
})

test('a pool that closes runs what its clients gave it before, and refuses the rest', async t => {
  const pool = poolFor(t)
  using client = Pool.open<Work>(pool.name)
  t.is(await client.apply('add', [1, 2]), 3)
  pool.close()
  t.throws(() => pool.name, { code: 'ERR_CLOSED' })
  await pool.join()
  await t.throwsAsync(() => client.apply('add', [1]).get(), { code: 'ERR_PEER_DIED' })
  t.throws(() => Pool.open(client.name), { code: 'ERR_NOT_FOUND' })
})

test('nothing is left of a pool and its clients', async t => {
  const before = new Set(list().map(({ name }) => name))
  const pool = poolFor(t)
  const client = Pool.open<Work>(pool.name)
  const array = SharedArray.create(null, 'int32', 2)
  await client.apply('fill', [array, 7])
  array.close()
  client.close()
  pool.close()
  await pool.join()
  t.deepEqual(
    list().filter(({ name }) => !before.has(name)),
    [],
  )
})
