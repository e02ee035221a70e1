// What Python promises of multiprocessing.managers, promised by ours. Each test names those in
// CPython's Lib/test/_test_multiprocessing.py that it follows.
import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import { list as listObjects, open, Process, ShareableList, SharedMemory } from 'crossmem'
import {
  type ManagedDict,
  type ManagedList,
  type ManagedQueue,
  Manager,
  SharedMemoryManager,
} from 'crossmem/manager'
import type { FooBar } from '../fixtures/manager/cpython.js'
import { fixture } from '../helpers/paths.js'

const test = ava.serial
const program = fixture('manager/cpython')

async function start(t: ExecutionContext, options = {}): Promise<Manager> {
  const manager = await Manager.start(options)
  t.teardown(() => manager.close())
  return manager
}

// _TestZZZNumberOfObjects.test_number_of_objects
test('a manager has only the objects that somebody holds', async t => {
  const manager = await start(t)
  const made = [await manager.dict(), await manager.list(), await manager.lock(), await manager.queue()]
  t.is((await manager.stats()).objects, 4)
  for (const object of made) object.close()
  t.is((await manager.stats()).objects, 0)
})

// _TestMyManager.test_mymanager, test_mymanager_context, test_mymanager_context_prestarted
test('classes of a module are used by proxies', async t => {
  const manager = await start(t, { modules: [program] })
  const foo = await manager.create<FooBar>('FooBar')
  t.is(await foo.f(), 'f()')
  await t.throwsAsync(foo.g(), { instanceOf: RangeError, message: 'g failed' })
  await t.throwsAsync((foo as unknown as { _h(): Promise<string> })._h(), { code: 'ERR_INVALID_ARG' })
  const squares: number[] = []
  for await (const square of (await foo.baz()) as AsyncIterable<number>) squares.push(square)
  t.deepEqual(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81])
})

// _TestRemoteManager.test_remote
test('a queue of a manager elsewhere carries values of every kind', async t => {
  const authkey = 'a key that nobody guesses, of 32+ bytes'
  const manager = await start(t, { listen: { authkey } })
  const queue = await manager.queue()
  await manager.publish('queue', queue)
  const values = ['hello world', null, true, 2.25, 'hallå världen', 'привет', Uint8Array.of(104, 105)]
  await Process.start(program, { run: 'putFar', args: [manager.url, { authkey }, values] }).result
  for (const value of values) t.deepEqual(await queue.get(), value)
  t.is(await queue.size(), 0)
})

// _TestManagerRestart.test_rapid_restart
test('an address is free as soon as its manager has ended', async t => {
  const authkey = 'a key that nobody guesses, of 32+ bytes'
  const first = await Manager.start({ name: 'again', listen: { authkey } })
  const port = Number(new URL(first.url as string).port)
  const far = await Manager.connect(first.url as string, { authkey })
  await far.list([1])
  await far.close()
  await first.close()
  const second = await start(t, { name: 'again', listen: { authkey, port } })
  t.is(second.url, first.url)
})

// _TestContainers.test_list, test_list_iter
test('a list', async t => {
  const manager = await start(t)
  const a = await manager.list([...Array(10).keys()])
  t.deepEqual(await a.slice(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const b = await manager.list<number>()
  t.deepEqual(await b.toArray(), [])
  await b.extend([0, 1, 2, 3, 4])
  t.deepEqual([await b.at(2), await b.slice(2, 10)], [2, [2, 3, 4]])
  await b.extend(await b.toArray())
  t.deepEqual(await b.toArray(), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
  const d = await manager.list([a, b])
  t.deepEqual(await Promise.all((await d.toArray()).map(inner => inner.length())), [10, 10])
  const items: number[] = []
  for await (const item of a) items.push(item)
  t.deepEqual(items, await a.toArray())
})

// _TestContainers.test_list_proxy_in_list, test_nested_queue
test('lists and queues in a list are live, and go with it', async t => {
  const manager = await start(t)
  const inner = await manager.list([0, 1, 2])
  const queue = await manager.queue()
  const outer = await manager.list<unknown>([inner, queue])
  queue.close()
  using again = (await outer.at(0)) as ManagedList<number>
  await again.set(0, 55)
  t.deepEqual(await inner.toArray(), [55, 1, 2])
  const queues = [await outer.at(-1), await outer.at(1)] as [ManagedQueue, ManagedQueue]
  await queues[0].put('hi')
  t.is(await queues[1].get(), 'hi')
  for (const proxy of queues) proxy.close()
  await outer.push(outer)
  for (const item of (await outer.splice(0, 2)) as (ManagedList | ManagedQueue)[]) item.close()
  // A list in itself goes, too, when nobody holds it.
  outer.close()
  while ((await manager.stats()).objects > 1) await new Promise(setImmediate)
  t.deepEqual(await inner.toArray(), [55, 1, 2])
})

// _TestContainers.test_dict, test_dict_iter, test_dict_proxy_nested
test('a dict', async t => {
  const manager = await start(t)
  const dict = await manager.dict<number, string>()
  const codes = [65, 66, 67, 68, 69]
  for (const code of codes) await dict.set(code, String.fromCharCode(code))
  t.deepEqual([...(await dict.toMap()).keys()], codes)
  const [keys, values]: [number[], string[]] = [[], []]
  for await (const key of dict.keys()) keys.push(key)
  for await (const value of dict.values()) values.push(value)
  t.deepEqual([keys, values], [codes, ['A', 'B', 'C', 'D', 'E']])
  const pets = await manager.dict<unknown>({ ferrets: 2, hamsters: 4 })
  const supplies = await manager.dict<unknown>({ water: 10 })
  const all = await manager.dict<unknown>({ pets, supplies })
  await ((await all.get('supplies')) as ManagedDict<string, unknown>).set('blankets', 5)
  t.is(await supplies.get('blankets'), 5)
  pets.close()
  supplies.close()
  t.is(await ((await all.get('pets')) as ManagedDict).get('ferrets'), 2)
})

// _TestContainers.test_namespace, TestSyncManagerTypes.test_namespace
test('a namespace', async t => {
  const manager = await start(t)
  const names = await manager.namespace<unknown>()
  await names.set('name', 'Bob')
  await names.set('job', 'Builder')
  await names.delete('job')
  t.deepEqual(await names.toObject(), { name: 'Bob' })
  t.deepEqual([await names.has('name'), await names.has('job')], [true, false])
})

// TestSyncManagerTypes.test_event, test_lock, test_rlock, test_semaphore, test_bounded_semaphore,
// test_condition, test_barrier, test_queue, test_joinable_queue, test_list, test_dict, test_value,
// test_array
test('each type is used in a child that gets it as an argument', async t => {
  const manager = await start(t)
  const event = await manager.event()
  const types = [
    event,
    await manager.lock(),
    await manager.rlock(),
    await manager.semaphore(),
    await manager.boundedSemaphore(),
    await manager.condition(),
    await manager.barrier(1),
    await manager.queue(),
    await manager.joinableQueue(),
    await manager.list<unknown>(),
    await manager.dict(),
    await manager.value(1),
    await manager.array([0, 1]),
  ]
  t.is(await Process.start(fixture('manager/types'), { run: 'useAll', args: types }).result, 'all')
  t.true(await event.isSet())
})

// _TestSharedMemory.test_shared_memory_SharedMemoryManager_basics
test('shared memory goes with its manager', async t => {
  const manager = await SharedMemoryManager.start()
  const memory = await manager.sharedMemory(32)
  const list = await manager.shareableList([1, 'two'])
  const names = [memory.name, list.name]
  t.is(memory.byteLength, 32)
  memory.close()
  list.close()
  // The manager keeps what its makers have closed.
  const other = await SharedMemoryManager.connect(manager.name)
  await other.sharedMemory(16)
  using again = ShareableList.open(names[1] as string)
  t.deepEqual([...again], [1, 'two'])
  await other.close()
  await manager.close()
  for (const name of names) t.throws(() => SharedMemory.open(name), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(manager.sharedMemory(1), { code: 'ERR_CLOSED' })
})

// _TestSharedMemory.test_shared_memory_SharedMemoryManager_reuses_resource_tracker
test('shared memory goes with its manager, also when that is killed', async t => {
  const manager = await SharedMemoryManager.start({ name: 'mortal' })
  const memory = await manager.sharedMemory(32)
  const plain = await Manager.connect('mortal')
  process.kill((await plain.stats()).pid, 'SIGKILL')
  while (listObjects().some(({ name, present }) => name === memory.name && present))
    await new Promise(setImmediate)
  t.throws(() => open(memory.name), { code: 'ERR_NOT_FOUND' })
  memory.bytes[0] = 7
  t.is(memory.bytes[0], 7)
  memory.close()
  await manager.close()
  await plain.close()
})
