import '../helpers/domain.js'
import { kill as signal } from 'node:process'
import ava, { type ExecutionContext } from 'ava'
import { Pool, type PoolOptions, Value } from 'crossmem'
import { fixture } from '../helpers/paths.js'
import { cells, crossmem, json } from '../processes/command.js'
import { schema } from '../processes/schema.js'

const test = ava.serial
const testOnLinux = process.platform === 'linux' ? test : test.skip

function poolFor(t: ExecutionContext, options: PoolOptions) {
  const pool = new Pool<typeof import('../fixtures/pool/work.js')>(fixture('pool/work'), options)
  t.teardown(() => pool.terminate())
  return pool
}

interface Worker {
  name: string
  pid: number
  thread: number
  state: string
  task: { id: number; run: string; since: string } | null
}

/** The workers that `inspect` shows, once they are in these states. */
async function workersOf(name: string, ...states: string[]): Promise<Worker[]> {
  for (;;) {
    const { data } = await json<{ workers: Worker[] }>('inspect', name)
    if (String(data.workers.map(({ state }) => state).sort()) === String(states)) return data.workers
  }
}

test('inspect shows what the workers of a pool do', async t => {
  const pool = poolFor(t, { workers: 2 })
  const { name } = pool
  const gate = Value.create(null, 'int32')
  const begun = Value.create(null, 'int32')
  await workersOf(name, 'idle', 'idle')

  const before = Date.now()
  const first = pool.apply('until', [gate, begun])
  while (begun.get() === 0) await new Promise(setImmediate)
  const [running, idle] = (await workersOf(name, 'idle', 'running')).sort((a, b) =>
    b.state.localeCompare(a.state),
  ) as [Worker, Worker]
  t.deepEqual([running.pid, running.thread, running.task?.id], [begun.get(), 0, first.id])
  t.is(running.task?.run, 'until')
  const since = Date.parse(running.task?.since ?? '')
  t.true(since >= before && since <= Date.now())
  t.is(idle.task, null)
  t.deepEqual(
    [running, idle].map(worker => worker.name).sort(),
    pool
      .stats()
      .workers.map(w => w.name)
      .sort(),
  )
  t.deepEqual(
    [running, idle].map(({ pid }) => pid).sort(),
    pool
      .stats()
      .workers.map(w => w.pid)
      .sort(),
  )

  const { stdout } = await crossmem('inspect', name)
  const lines = stdout.trimEnd().split('\n').map(cells)
  t.deepEqual(lines.at(-3), ['WORKER', 'AGENT', 'STATE', 'TASK', 'FUNCTION', 'FOR'])
  const shown = lines.slice(-2).find(([, pid]) => pid === String(running.pid)) ?? []
  t.deepEqual(shown.slice(0, 5), [running.name, String(running.pid), 'running', String(first.id), 'until'])
  t.regex(shown[5] ?? '', /^\d+s$/)
  const ls = (await crossmem('ls')).stdout
  for (const worker of [running, idle]) t.true(ls.includes(`${name}.${worker.name} `))
  t.deepEqual(schema([{ type: 'Inspect', value: (await json('inspect', name)).data }]), [])

  // Another function, on the same worker or the other one.
  gate.set(1)
  await first
  gate.set(0)
  const two = [pool.apply('until', [gate]), pool.apply('until', [gate])]
  const both = await workersOf(name, 'running', 'running')
  t.deepEqual(
    both.map(({ task }) => task?.id).sort(),
    two.map(({ id }) => id),
  )
  gate.set(1)
  await Promise.all(two)
  pool.close()
  await pool.join()
  t.is((await crossmem('inspect', name)).code, 1)
  t.false((await crossmem('ls')).stdout.includes(name))
})

testOnLinux('inspect shows that a worker starts, and that it was stopped', async t => {
  const gate = Value.create(null, 'int32')
  const pool = poolFor(t, { workers: 1, initializer: ['until', gate] })
  const { name } = pool
  const [{ pid, task: none }] = (await workersOf(name, 'starting')) as [Worker]
  signal(pid, 'SIGSTOP')
  await workersOf(name, 'stopped')
  signal(pid, 'SIGCONT')
  gate.set(1)
  await workersOf(name, 'idle')
  t.is(none, null)

  gate.set(0)
  const task = pool.apply('until', [gate])
  await workersOf(name, 'running')
  signal(pid, 'SIGSTOP')
  const [stopped] = (await workersOf(name, 'stopped')) as [Worker]
  t.is(stopped.task?.id, task.id)
  signal(pid, 'SIGCONT')
  gate.set(1)
  t.is(await task, pid)
})

test('inspect shows workers that are threads', async t => {
  const pool = poolFor(t, { workers: 1, kind: 'thread' })
  const [worker] = (await workersOf(pool.name, 'idle')) as [Worker]
  t.deepEqual([worker.pid, worker.thread], [process.pid, await pool.apply('thread')])
})
