import '../helpers/domain.js'
import { existsSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import ava, { type ExecutionContext } from 'ava'
import { activeChildren, gc, list, Mutex, Pipe, Process, Queue } from 'crossmem'
import { openDescriptors } from '../helpers/descriptors.js'
import { isPending } from '../helpers/pending.js'
import { type Diagnosis, json } from '../processes/command.js'
import { startTarget, targets } from '../processes/targets.js'

const test = ava.serial

/** Two mutexes that a daemon and its daemon hold, and how to end the process that started it. */
function theatre(t: ExecutionContext) {
  const mutexes = [Mutex.create(null), Mutex.create(null)]
  const [isHeld, told] = [Queue.create<number>(null), Queue.create<string>(null)]
  for (const handle of [...mutexes, isHeld, told]) t.teardown(() => handle.close())
  const areHeld = async (): Promise<void> => {
    await isHeld.get()
    await isHeld.get()
    for (const mutex of mutexes) t.true(mutex.isLocked)
  }
  /** Both daemons are gone: the kernel has dropped what they held. */
  const areGone = async (): Promise<void> => {
    for (const mutex of mutexes) {
      const guard = await mutex.lock()
      t.true(guard.ownerDied)
      guard.release()
    }
  }
  return { mutexes, isHeld, told, areHeld, areGone }
}

const deaths = ['kill', 'exit', 'throw', 'abort', 'the end']

for (const how of ['idle', 'busy', 'stopped']) {
  for (const death of how === 'idle' ? deaths : ['kill', 'exit']) {
    test(`a daemon that is ${how} and its daemon end with the parent: ${death}`, async t => {
      const { mutexes, isHeld, told, areHeld, areGone } = theatre(t)
      const parent = startTarget(t, 'startDaemon', [mutexes, isHeld, how, told])
      await areHeld()
      if (death === 'kill') parent.kill()
      else await told.put(death)
      await parent.join()
      await areGone()
    })
  }
}

test('a daemon ends with the worker thread that started it', async t => {
  const { mutexes, isHeld, told, areHeld, areGone } = theatre(t)
  const parent = startTarget(t, 'startInWorker', [mutexes, isHeld, told])
  await areHeld()
  await told.put('the end')
  await areGone()
  t.true(parent.isAlive)
})

test('a child of a daemon is a daemon', async t => {
  const child = startTarget(t, 'describeChild', [{}], { daemon: true, name: 'daemon' })
  t.true(child.isDaemon)
  const { isDaemon, name, parent } = (await child.result) as Record<string, unknown>
  t.deepEqual([isDaemon, name, (parent as { name: string }).name], [true, 'daemon:1', 'daemon'])
  const refused = startTarget(t, 'describeChild', [{ daemon: false }], { daemon: true })
  await t.throwsAsync(refused.result, { code: 'ERR_INVALID_ARG', message: /its children are, too/ })
})

test('a process that is no daemon goes on when its parent is killed', async t => {
  using told = Queue.create(null)
  using gate = Queue.create(null)
  const parent = startTarget(t, 'startAndStay', [told, gate])
  await told.get()
  parent.kill()
  await parent.join()
  await gate.put('open')
  t.is(await told.get(), false)
})

test('a process that is no daemon keeps its parent alive, and a daemon does not', async t => {
  using told = Queue.create(null)
  using gate = Queue.create(null)
  const short = startTarget(t, 'startAndLeave', [told, gate, true])
  await short.join()
  t.is(short.exitCode, 0)
  const long = startTarget(t, 'startAndLeave', [told, gate, false])
  await long.result
  const end = long.join()
  t.true(await isPending(end))
  await gate.put('open')
  t.is(await told.get(), true)
  await end
  t.is(long.exitCode, 0)
})

test('a process that outlives the worker thread that started it leaves no zombie', async t => {
  const [told, gate] = [Queue.create<number | boolean>(null), Queue.create<string>(null)]
  const program = `
    const { workerData } = require('node:worker_threads')
    const { open } = require('crossmem')
    const { told, gate, targets } = workerData
    require(targets).startAndStay(open(told), open(gate))`
  const references = { told: told.toJSON(), gate: gate.toJSON() }
  const worker = new Worker(program, { eval: true, workerData: { ...references, targets } })
  const pid = (await told.get()) as number
  await worker.terminate()
  await gate.put('open')
  t.is(await told.get(), false)
  if (process.platform === 'linux') while (existsSync(`/proc/${pid}`)) await new Promise(setImmediate)
  told.close()
  gate.close()
})

test('terminate aborts the signal of a program that knows it', async t => {
  using told = Queue.create(null)
  const child = startTarget(t, 'end', [told, 'signal'])
  await told.get()
  child.terminate({ grace: 600_000 })
  child.terminate()
  t.is(await child.result, 'AbortError')
  await child.join()
  t.deepEqual([child.exitCode, child.signal], [0, null])
})

test('terminate sends SIGTERM at once to a program that does not know the signal', async t => {
  using told = Queue.create(null)
  const child = startTarget(t, 'end', [told, 'no-signal'])
  await told.get()
  child.terminate({ grace: 600_000 })
  await child.join()
  t.deepEqual([child.exitCode, child.signal], [null, 'SIGTERM'])
})

for (const how of ['busy', 'stopped']) {
  test(`terminate ends a process that is ${how}`, async t => {
    using told = Queue.create(null)
    const child = startTarget(t, 'end', [told, how])
    await told.get()
    child.terminate({ grace: 50 })
    await child.join()
    t.deepEqual([child.exitCode, child.signal], [null, 'SIGKILL'])
    await t.throwsAsync(child.result, { code: 'ERR_PEER_DIED', message: /was killed by SIGKILL/ })
  })

  test(`kill ends a process that is ${how}`, async t => {
    using told = Queue.create(null)
    const child = startTarget(t, 'end', [told, how])
    await told.get()
    child.kill()
    await child.join()
    t.is(child.signal, 'SIGKILL')
  })
}

test('the end of a using block kills, and that of an await using block terminates', async t => {
  using told = Queue.create(null)
  let killed: Process
  {
    using child = startTarget(t, 'end', [told, 'signal'])
    killed = child
    await told.get()
  }
  await killed.join()
  t.is(killed.signal, 'SIGKILL')
  let terminated: Process
  {
    await using child = startTarget(t, 'end', [told, 'signal'])
    terminated = child
    await told.get()
  }
  t.deepEqual([terminated.isAlive, terminated.exitCode], [false, 0])
})

test('join waits for a time, or until a signal', async t => {
  using told = Queue.create(null)
  const child = startTarget(t, 'end', [told, 'signal'], { name: 'slow' })
  const late = { code: 'ERR_TIMEOUT', message: 'joining process "slow": timed out after 0 ms' }
  await t.throwsAsync(child.join({ timeout: 0 }), late)
  await t.throwsAsync(child.join({ timeout: 5 }), { code: 'ERR_TIMEOUT' })
  const cancelled = new AbortController()
  const join = child.join({ signal: cancelled.signal })
  cancelled.abort()
  await t.throwsAsync(join, { any: true, name: 'AbortError' })
  await t.throwsAsync(child.join({ signal: AbortSignal.abort() }), { any: true, name: 'AbortError' })
  await t.throwsAsync(child.join({ timeout: -1 }), { code: 'ERR_INVALID_ARG' })
  t.throws(() => child.terminate({ grace: -1 }), { code: 'ERR_INVALID_ARG', message: /^grace is a number/ })
  t.true(child.isAlive)
  child.kill()
  await Promise.all([child.join(), child.join({ timeout: 600_000, unref: false })])
})

/** Open descriptors of this process. */

test('many processes that end in all ways leave nothing behind', async t => {
  t.deepEqual(activeChildren(), [])
  const one = async (i: number): Promise<number> => {
    const [mine, yours] = Pipe.create()
    const child = Process.start(targets, { run: 'pong', args: [yours], stdio: 'ignore', daemon: i % 2 === 0 })
    yours.close()
    if (i % 5 > 0) {
      await mine.send(i)
      if (i % 5 > 1) t.is(await mine.recv(), i)
    }
    if (i % 5 === 2) child.terminate()
    else if (i % 5 === 3) mine.close()
    else child.kill()
    await child.join()
    if (i % 5 !== 3) mine.close()
    return child.pid as number
  }
  await one(3)
  const before = openDescriptors()
  const pids: number[] = []
  for (let i = 0; i < 60; i += 4) pids.push(...(await Promise.all([i, i + 1, i + 2, i + 3].map(one))))
  t.deepEqual(activeChildren(), [])
  // The last sockets are closed by the event loop.
  await new Promise(setImmediate)
  // A process keeps the FIFOs of some agents that it has woken.
  const after = openDescriptors()
  t.true(after.length < before.length + 20, `${after}`)
  const isZombie = (pid: number): boolean =>
    existsSync(`/proc/${pid}/stat`) && readFileSync(`/proc/${pid}/stat`, 'utf8').includes(` ${process.pid} `)
  t.deepEqual(pids.filter(isZombie), [])
  t.deepEqual(list(), [])
  gc()
  const { data } = await json<Diagnosis>('doctor')
  t.deepEqual(
    data.agents.map(({ pid, alive }) => [pid, alive]),
    [[process.pid, true]],
  )
})
