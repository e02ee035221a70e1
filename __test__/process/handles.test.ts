import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { Event, list, Mutex, Pipe, Queue, type Reference, Value } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { isPending } from '../helpers/pending.js'
import { startTarget } from '../processes/targets.js'

const test = ava.serial

const names = (): string[] => list().map(({ name }) => name)

/** Options of a process that opens nothing until it may, and the event that it is there. */
function gated(t: ExecutionContext) {
  const [isHere, mayGoOn] = [Event.create(unique('here')), Event.create(unique('gate'))]
  t.teardown(() => isHere.close())
  t.teardown(() => mayGoOn.close())
  const env = { GATES: [isHere, mayGoOn].map(({ name }) => name).join() }
  const execArgv = ['--require', fixture('process/wait-before')]
  return { isHere, mayGoOn, env, execArgv, options: { env: { ...process.env, ...env }, execArgv } }
}

test('handles arrive open, and the parent may close its own at once', async t => {
  const value = Value.create(null, 'int32', 40)
  const child = startTarget(t, 'add', [value, 2])
  value.close()
  t.is(await child.result, 40)
  await child.join()
  t.deepEqual(list(), [])
})

test('a reference arrives as a handle, too', async t => {
  using value = Value.create(null, 'int32', 40)
  t.is(await startTarget(t, 'add', [value.toJSON(), 2]).result, 40)
  t.is(value.value, 42)
})

test('an object that is there several times is one handle', async t => {
  using value = Value.create(null, 'int32')
  const map = new Map([['c', new Set([value])]])
  t.true(
    await startTarget(t, 'areOne', [value, { b: value }, map, new Error('e', { cause: { value } })]).result,
  )
})

test('handles are closed when the function has returned, unless they are kept', async t => {
  using told = Queue.create(null)
  const [closed, kept] = [Value.create(null, 'int32', 1), Value.create(null, 'int32', 2)]
  const child = startTarget(t, 'keepOne', [closed, kept, told])
  t.deepEqual(await told.get(), ['ERR_CLOSED', 2])
  child.kill()
  await child.join()
  closed.close()
  kept.close()
})

test('handles in a result arrive open, although the process ends', async t => {
  const child = startTarget(t, 'make', [])
  const { value } = (await child.result) as { value: Value<'int32'> }
  await child.join()
  t.is(child.exitCode, 0)
  t.is(value.value, 42)
  value.close()
  const maker = startTarget(t, 'makePipe', [])
  const pipe = (await maker.result) as Pipe
  t.is(await pipe.recv(), 'hello')
  await t.throwsAsync(pipe.recv(), { code: 'ERR_ENDED' })
  pipe.close()
  await maker.join()
  t.deepEqual(list(), [])
})

test('an end of a pipe goes to the process', async t => {
  const [mine, yours] = Pipe.create()
  const child = startTarget(t, 'pong', [yours])
  t.throws(() => yours.sendSync(1), { code: 'ERR_BUSY' })
  yours.close()
  await mine.send('ping')
  t.is(await mine.recv(), 'ping')
  mine.close()
  await child.join()
  t.is(child.exitCode, 0)
  t.deepEqual(list(), [])
})

test('an end that is in use is refused, and stays', async t => {
  const [mine, yours] = Pipe.create()
  yours.sendSync('used')
  const [other, unused] = Pipe.create()
  t.throws(() => startTarget(t, 'pong', [unused, yours]), { code: 'ERR_BUSY' })
  unused.sendSync('still here')
  yours.sendSync('still here')
  t.deepEqual([mine.recvSync(), mine.recvSync(), other.recvSync()], ['used', 'still here', 'still here'])
  for (const end of [mine, yours, other, unused]) end.close()
  t.deepEqual(list(), [])
})

test('an object that is gone is refused, and what else was sent stays', async t => {
  const [mine, yours] = Pipe.create()
  const gone = Mutex.create(null)
  const reference = gone.toJSON() as Reference
  gone.close()
  t.throws(() => startTarget(t, 'pong', [yours, reference]), { code: 'ERR_NOT_FOUND' })
  yours.sendSync('still here')
  t.is(mine.recvSync(), 'still here')
  for (const end of [mine, yours]) end.close()
  t.deepEqual(list(), [])
})

test('if the system starts no process, nothing is lost', async t => {
  const [mine, yours] = Pipe.create()
  const child = startTarget(t, 'pong', [yours], { cwd: '/no/such/directory' })
  await t.throwsAsync(child.result, { code: 'ERR_NOT_FOUND' })
  yours.sendSync('still here')
  t.is(mine.recvSync(), 'still here')
  for (const end of [mine, yours]) end.close()
  t.deepEqual(list(), [])
})

test('if a process is killed before it opened anything, its share is given back, and peers are told', async t => {
  const gate = gated(t)
  const [mine, yours] = Pipe.create()
  const value = Value.create(null, 'int32')
  const child = startTarget(t, 'echo', [value, yours], gate.options)
  value.close()
  yours.close()
  await gate.isHere.wait()
  const told = mine.recv()
  t.true(await isPending(told))
  t.true(names().includes(value.name))
  child.kill()
  await t.throwsAsync(told, { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(child.result, { code: 'ERR_PEER_DIED', message: /before it had opened its arguments/ })
  t.false(names().includes(value.name))
  mine.close()
})

test('if the parent is killed before the process opened anything, the process opens it all the same', async t => {
  const gate = gated(t)
  using told = Queue.create<string | number>(null)
  const parent = startTarget(t, 'sendAndStay', [told, gate.env, gate.execArgv])
  const name = (await told.get()) as string
  await gate.isHere.wait()
  parent.kill()
  await parent.join()
  t.true(names().includes(name))
  gate.mayGoOn.set()
  t.is(await told.get(), 42)
})
