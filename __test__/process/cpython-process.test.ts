// What Python promises of multiprocessing.Process, promised by ours. Each test names the one in
// CPython's Lib/test/_test_multiprocessing.py that it follows.
import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { activeChildren, currentProcess, Process, parentProcess, Queue } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { fixture } from '../helpers/paths.js'

const test = ava.serial

function start(t: ExecutionContext, run: string, args: unknown[] = [], options = {}): Process {
  const child = Process.start(fixture('process/cpython'), { run, args, ...options })
  t.teardown(() => child.kill())
  return child
}

// _TestProcess.test_current, test_parent_process_attributes
test('the first process is alive and has no parent', t => {
  const { name, pid, isDaemon } = currentProcess()
  t.deepEqual([name, pid, isDaemon, parentProcess()], ['main', process.pid, false, undefined])
})

// _TestProcess.test_process, test_active_children
test('a process has its arguments, its name and its own pid, and is active until it has ended', async t => {
  using told = Queue.create(null)
  t.deepEqual(activeChildren(), [])
  const child = start(t, 'tellSelf', [told, 1, 'two'], { name: 'SomeProcess', daemon: true })
  t.deepEqual(activeChildren(), [child])
  t.deepEqual([child.isAlive, child.exitCode, child.name], [true, null, 'SomeProcess'])
  const self = { args: [1, 'two'], name: 'SomeProcess', pid: child.pid, isDaemon: true, children: 0 }
  t.deepEqual(await told.get(), self)
  await child.join()
  t.deepEqual([child.isAlive, child.exitCode], [false, 0])
  t.deepEqual(activeChildren(), [])
})

// _TestProcess.test_terminate, test_kill
for (const [way, signal] of [
  ['terminate', 'SIGTERM'],
  ['kill', 'SIGKILL'],
] as const) {
  test(`a process that would stay ends: ${way}`, async t => {
    const child = start(t, 'stay')
    for (const timeout of [0, 1, 20]) await t.throwsAsync(child.join({ timeout }), { code: 'ERR_TIMEOUT' })
    t.true(child.isAlive)
    t.deepEqual(activeChildren(), [child])
    child[way]()
    await child.join()
    t.deepEqual([child.isAlive, child.exitCode, child.signal], [false, null, signal])
    child[way]()
    t.deepEqual(activeChildren(), [])
    await t.throwsAsync(child.result, { code: 'ERR_PEER_DIED' })
  })
}

// _TestProcess.test_recursion
test('processes start processes', async t => {
  using told = Queue.create<number[]>(null)
  const root = start(t, 'grow', [told, []])
  await root.join()
  const places: number[][] = []
  for (let place = told.tryGet(); place !== undefined; place = told.tryGet()) places.push(place)
  t.deepEqual(places, [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]])
})

// _TestProcess.test_many_processes
test('many processes end, by themselves and by a signal', async t => {
  const some = range(8).map(() => start(t, 'nothing'))
  await Promise.all(some.map(child => child.join()))
  t.deepEqual(
    some.map(({ exitCode }) => exitCode),
    some.map(() => 0),
  )
  const others = range(8).map(() => start(t, 'stay'))
  for (const child of others) child.terminate({ grace: 0 })
  await Promise.all(others.map(child => child.join()))
  t.true(others.every(({ signal }) => signal === 'SIGTERM' || signal === 'SIGKILL'))
  await Promise.all(others.map(child => t.throwsAsync(child.result, { code: 'ERR_PEER_DIED' })))
})

// _TestSubclassingProcess.test_sys_exit
test('the exit code is that with which the process exits', async t => {
  for (const code of [0, 1, 8]) {
    const child = start(t, 'leave', ['exit', code])
    await t.throwsAsync(child.result, { code: 'ERR_PEER_DIED' })
    await child.join()
    t.is(child.exitCode, code)
  }
  const set = start(t, 'leave', ['exitCode', 5])
  await set.join()
  t.is(set.exitCode, 5)
  const thrown = start(t, 'leave', ['throw', 5], { stdio: 'ignore' })
  await t.throwsAsync(thrown.result, { message: 'on purpose' })
  await thrown.join()
  t.is(thrown.exitCode, 1)
})

// _TestProcess.test_wait_for_threads
test('a process ends when it has nothing left to do', async t => {
  using told = Queue.create<string>(null)
  const child = start(t, 'finishLater', [told])
  t.is(await child.result, undefined)
  t.is(await told.get(), 'done')
  await child.join()
  t.is(child.exitCode, 0)
})

// _TestProcess.test_parent_process
test('a process knows the one that started it', async t => {
  using told = Queue.create(null)
  const child = start(t, 'startBelow', [told], { name: 'parent' })
  const pid = await child.result
  t.is(pid, child.pid)
  t.deepEqual(await told.get(), { name: 'parent', pid, isAlive: true })
})
