import '../helpers/domain.js'
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Writable } from 'node:stream'
import ava from 'ava'
import { Value } from 'crossmem'
import { progressBar } from '../../src/pool/progress-bar.js'
import { poolFor } from './pools.js'

const test = ava.serial

test('stats counts tasks and times, and tells of the workers', async t => {
  using begun = Value.create(null, 'int32')
  using gate = Value.create(null, 'int32')
  const pool = poolFor(t, { workers: 1 })
  t.deepEqual(pool.stats().run, { count: 0, min: 0, mean: 0, p50: 0, p99: 0, max: 0 })
  await pool.apply('add', [1, 2])
  await t.throwsAsync(() => pool.apply('fail', ['error']).get())
  const running = pool.apply('until', [gate, begun])
  const waiting = pool.apply('add', [1, 2])
  const cancelled = pool.apply('add', [1, 2])
  cancelled.cancel()
  t.is(await cancelled.catch((reason: Error) => reason.name), 'AbortError')
  while (begun.get() === 0) await new Promise(setImmediate)
  const busy = pool.stats()
  t.like(busy, { waiting: 1, running: 1, done: 1, failed: 1, cancelled: 1 })
  t.like(busy.workers, [{ pid: begun.get(), state: 'running', tasks: 2 }])
  if (process.platform === 'linux') t.true((busy.workers[0]?.rss ?? 0) > 1e7)
  gate.set(1)
  await Promise.all([running, waiting])
  const { run, wait, utilisation, ...counts } = pool.stats()
  t.like(counts, { waiting: 0, running: 0, done: 3, workers: [{ state: 'idle', tasks: 4 }] })
  t.is(run.count, 4)
  t.is(wait.count, 4)
  t.true(run.min > 0 && run.min <= run.p50 && run.p50 <= run.p99 && run.p99 <= run.max)
  t.true(utilisation > 0 && utilisation <= 1)
})

test('events tell of workers, in the context of the maker of the pool', async t => {
  const storage = new AsyncLocalStorage<string>()
  const pool = storage.run('maker', () => poolFor(t, { workers: 1 }))
  const contexts: unknown[] = []
  pool.on('ready', () => contexts.push(storage.getStore()))
  // While no task is there, a pool doesn't keep this process alive.
  const [ready, ended] = [once(pool, 'ready'), once(pool, 'exit')]
  const pid = await pool.apply('pid')
  const [worker] = (await ready) as [{ name: string; pid: number }]
  t.is(worker.pid, pid)
  const lost = pool.apply('die', ['kill']).catch((error: Error) => error)
  t.is(await pool.apply('add', [1, 2]), 3)
  t.deepEqual(await ended, [{ ...worker, exitCode: null, signal: 'SIGKILL' }])
  t.like(await lost, { code: 'ERR_WORKER_DIED' })
  t.deepEqual(contexts, ['maker', 'maker'])
})

test('diagnostics channels tell of tasks and workers', async t => {
  const told: [name: string | symbol, message: { pool: string }][] = []
  const names = ['submit', 'settle', 'worker-ready', 'worker-exit'].map(name => `crossmem:pool:${name}`)
  const listen = (message: unknown, name: string | symbol) => {
    told.push([name, message as { pool: string }])
  }
  for (const name of names) subscribe(name, listen)
  t.teardown(() => {
    for (const name of names) unsubscribe(name, listen)
  })
  const pool = poolFor(t, { workers: 1 })
  await pool.apply('add', [1, 2])
  await t.throwsAsync(() => pool.apply('fail', ['error']).get())
  const [{ name, pid }] = pool.stats().workers as unknown as [{ name: string; pid: number }]
  pool.close()
  await pool.join()
  const owner = name.slice(0, name.lastIndexOf('-'))
  const [submit, settle, ready, exit] = names
  // Pools of other tests may be about to end.
  t.deepEqual(
    told.filter(([, { pool }]) => pool === owner),
    [
      [submit, { pool: owner, task: 1, run: 'add' }],
      [ready, { pool: owner, name, pid }],
      [settle, { pool: owner, task: 1, run: 'add', outcome: 'done' }],
      [submit, { pool: owner, task: 2, run: 'fail' }],
      [settle, { pool: owner, task: 2, run: 'fail', outcome: 'failed' }],
      [exit, { pool: owner, name, pid, exitCode: 0, signal: null }],
    ],
  )
})

/** A terminal of 80 columns, and what is written on it. */
function terminal() {
  const written: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  return { written, stream: Object.assign(stream, { isTTY: true, columns: 80 }) as never }
}

test('a bar shows how far a map is, on a terminal only', async t => {
  const { written, stream } = terminal()
  const bar = progressBar('square', stream)
  bar?.update(0, 4)
  bar?.update(4, 4)
  bar?.stop()
  t.regex(written.join(''), /square .* 0% \| 0\/4 .*100% \| 4\/4/s)
  t.is(progressBar('square', { isTTY: false } as never), undefined)
  const pool = poolFor(t)
  t.deepEqual(await pool.map('square', [1, 2], { progress: true }), [1, 4])
  await t.throwsAsync(pool.map('square', [1], { progress: 1 as never }), { code: 'ERR_INVALID_ARG' })
})
