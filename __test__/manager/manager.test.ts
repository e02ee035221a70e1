import '../helpers/domain.js'
import { execFile } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ava, { type ExecutionContext } from 'ava'
import { CrossmemError, list as listObjects, open, Process, SharedArray } from 'crossmem'
import { type ManagedDict, type ManagedList, Manager, type ManagerOptions } from 'crossmem/manager'
import type { ManagerOrders } from '../fixtures/manager/use-manager.js'
import { unique } from '../helpers/domain.js'
import { compiled, root } from '../helpers/paths.js'
import { type Hired, hire } from '../processes/hire.js'

const test = ava.serial
const domain = process.env.CROSSMEM_DOMAIN as string
const classes = compiled('__test__', 'fixtures', 'manager', 'classes.js')
const targets = compiled('__test__', 'fixtures', 'manager', 'targets.js')

async function start(t: ExecutionContext, options?: ManagerOptions): Promise<Manager> {
  const manager = await Manager.start(options)
  t.teardown(() => manager.close())
  return manager
}

async function hireUser(t: ExecutionContext, manager: Manager): Promise<Hired<ManagerOrders>> {
  const user = await hire<ManagerOrders>('manager/use-manager')
  t.teardown(() => user.kill())
  await user.tell({ do: 'connect', name: manager.name })
  return user
}

/** Resolves when a condition of the manager holds. Each look asks the manager. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate)
}

const leftovers = (): string[] => readdirSync('/dev/shm').filter(file => file.includes(domain))

test('a dict has what a Map has, and what a dict of Python has', async t => {
  const manager = await start(t)
  const dict = await manager.dict<unknown, unknown>(new Map<unknown, unknown>([['a', 1]]))
  await dict.set('b', { n: 2 })
  t.deepEqual(await dict.get('b'), { n: 2 })
  t.is(await dict.get('none'), undefined)
  t.deepEqual([await dict.has('a'), await dict.has('z'), await dict.size()], [true, false, 2])
  await dict.assign({ c: 3, a: 0 })
  t.deepEqual(
    [...(await dict.toMap())],
    [
      ['a', 0],
      ['b', { n: 2 }],
      ['c', 3],
    ],
  )
  t.is(await dict.pop('a'), 0)
  t.is(await dict.pop('a'), undefined)
  t.deepEqual(await dict.popItem(), ['c', 3])
  t.is(await dict.getOrInsert('d', 4), 4)
  t.is(await dict.setDefault('d', 5), 4)
  t.deepEqual([await dict.delete('d'), await dict.delete('d')], [true, false])
  t.is(await dict.update('n', (n: unknown) => ((n as number) ?? 0) + 1), 1)
  // Keys are equal by their parts.
  await dict.set([1, { x: 'y' }], 'tuple')
  t.is(await dict.get([1, { x: 'y' }]), 'tuple')
  await dict.clear()
  t.is(await dict.popItem(), undefined)
})

test('iteration comes in batches, and sees what is added meanwhile', async t => {
  const manager = await start(t)
  const dict = await manager.dict(Array.from({ length: 3000 }, (_, i): [number, number] => [i, i * i]))
  const seen: number[] = []
  for await (const [key, value] of dict) {
    t.is(value, key * key)
    if (seen.push(key) === 1) await dict.set(3000, 9_000_000)
  }
  t.deepEqual(
    seen,
    Array.from({ length: 3001 }, (_, i) => i),
  )
  for await (const key of dict.keys()) if (key === 20) break
  const list = await manager.list([1, 2, 3])
  const items: number[] = []
  for await (const item of list) items.push(item)
  t.deepEqual(items, [1, 2, 3])
  // Cursors are given back.
  await until(async () => (await manager.stats()).objects === 2)
  t.pass()
})

test('a list has what an array has, and what a list of Python has', async t => {
  const manager = await start(t)
  const list = await manager.list<unknown>([3, 1])
  t.is(await list.push(2, 10), 4)
  t.deepEqual([await list.at(0), await list.at(-1), await list.at(9)], [3, 10, undefined])
  await list.sort()
  t.deepEqual(await list.toArray(), [1, 10, 2, 3])
  await list.sort((a, b) => (a as number) - (b as number))
  t.deepEqual(await list.slice(1, -1), [2, 3])
  t.deepEqual(await list.splice(-2, 1, 'x', 'y'), [3])
  t.deepEqual(await list.toArray(), [1, 2, 'x', 'y', 10])
  await list.insert(0, { deep: [1] })
  t.deepEqual(
    [await list.indexOf({ deep: [1] }), await list.includes('z'), await list.count('x')],
    [0, false, 1],
  )
  t.deepEqual([await list.remove('x'), await list.remove('x')], [true, false])
  t.deepEqual([await list.pop(), await list.pop(0), await list.shift()], [10, { deep: [1] }, 1])
  await list.reverse()
  await list.set(-1, 'last')
  t.deepEqual(await list.toArray(), ['y', 'last'])
  t.is(await list.unshift('first'), 3)
  t.is(await list.update(0, item => `${item}!`), 'first!')
  await t.throwsAsync(list.set(3, 0), { code: 'ERR_OUT_OF_RANGE' })
  await t.throwsAsync(
    list.update(3, () => 0),
    { code: 'ERR_OUT_OF_RANGE' },
  )
  await list.clear()
  t.is(await list.length(), 0)
})

test('a namespace, a value and numbers', async t => {
  const manager = await start(t)
  const namespace = await manager.namespace({ limit: 10 })
  await namespace.set('limit', 11)
  t.deepEqual(await namespace.toObject(), { limit: 11 })
  const value = await manager.value('a')
  t.is(await value.update(text => `${text}b`), 'ab')
  t.is(await value.get(), 'ab')
  const numbers = await manager.array([1, 2])
  await numbers.set(0, 5)
  t.deepEqual([await numbers.at(-1), await numbers.length(), await numbers.toArray()], [2, 2, [5, 2]])
})

test('values are all that structured clone knows', async t => {
  const manager = await start(t)
  const dict = await manager.dict()
  const circle: { self?: unknown; map: Map<unknown, unknown> } = { map: new Map([[{ k: 1 }, new Set([2n])]]) }
  circle.self = circle
  const values = [
    undefined,
    null,
    Number.NaN,
    -0,
    2n ** 70n,
    new Date(5),
    /x/g,
    new Float64Array([1, 2]),
    new Map([['a', new Set([1])]]),
    new TypeError('no', { cause: new Error('why') }),
  ]
  for (const value of values) {
    await dict.set('value', value)
    t.deepEqual(await dict.get('value'), value)
  }
  await dict.set('circle', circle)
  const back = (await dict.get('circle')) as typeof circle
  t.is(back.self, back)
  await t.throwsAsync(dict.set('f', { deep: [() => 1] }), { code: 'ERR_INVALID_ARG', message: /\.deep\[0\]/ })
  t.false(await dict.has('f'))
})

test('a nested object that comes out is frozen, so that no change is lost', async t => {
  const manager = await start(t)
  const dict = await manager.dict({ a: { list: [1, { n: 1 }] } })
  const value = (await dict.get('a')) as { list: [number, { n: number }] }
  t.throws(() => value.list.push(2 as never), { instanceOf: TypeError })
  t.throws(
    () => {
      value.list[1].n = 2
    },
    { instanceOf: TypeError },
  )
  const copy = structuredClone(value)
  copy.list[1].n = 2
  await dict.set('a', copy)
  t.deepEqual(await dict.get('a'), { list: [1, { n: 2 }] })
})

test('dicts and lists of the manager inside others are live', async t => {
  const manager = await start(t)
  const outer = await manager.dict<string, unknown>()
  const inner = await manager.list<unknown>([1])
  await outer.set('inner', { deep: [inner, inner] })
  const { deep } = (await outer.get('inner')) as { deep: [ManagedList, ManagedList] }
  t.is(deep[0], deep[1])
  await deep[0].push(2)
  t.deepEqual(await inner.toArray(), [1, 2])
  // A circle, too.
  await inner.push(outer)
  t.is((await ((await inner.at(-1)) as ManagedDict).size()) as number, 1)
})

test('what is inside another object lives as long as that, and no longer', async t => {
  const manager = await start(t)
  const outer = await manager.dict<string, unknown>()
  const inner = await manager.list([1])
  await outer.set('inner', inner)
  inner.close()
  t.is((await manager.stats()).objects, 2)
  const again = (await outer.get('inner')) as ManagedList
  t.deepEqual(await again.toArray(), [1])
  await outer.delete('inner')
  again.close()
  t.is((await manager.stats()).objects, 1)
  await t.throwsAsync(again.length(), { code: 'ERR_CLOSED' })
})

test('an update is atomic: no change of another process comes between', async t => {
  const manager = await start(t)
  const dict = await manager.dict<string, number>()
  const children = [1, 2, 3].map(() => Process.start(targets, { run: 'count', args: [dict, 200] }))
  await Promise.all(children.map(child => child.result))
  t.is(await dict.get('n'), 600)
  await t.throwsAsync(
    dict.update('n', () => {
      throw new RangeError('no')
    }),
    { instanceOf: RangeError },
  )
  t.is(await dict.get('n'), 600)
})

test('proxies travel in arguments of a process, and by a reference', async t => {
  const manager = await start(t)
  const [dict, list] = [await manager.dict(), await manager.list()]
  t.is(await Process.start(targets, { run: 'fill', args: [dict, list] }).result, 'ManagedDict')
  t.is(await dict.get('a'), 'filled')
  const user = await hireUser(t, manager)
  await user.tell({ do: 'open', as: 'list', reference: list.toJSON() })
  t.is(await user.tell({ do: 'invoke', on: 'list', method: 'push', args: ['y'] }), 2)
  const here = open(JSON.parse(JSON.stringify(list))) as unknown as ManagedList
  t.deepEqual(await here.toArray(), ['x', 'y'])
})

test('a reference on its way keeps the object alive, also when the sender is killed', async t => {
  const manager = await start(t)
  const user = await hireUser(t, manager)
  const reference = JSON.parse(await user.tell({ do: 'make', as: 'd', with: 'dict', args: [{ a: 1 }] }))
  await user.kill()
  await until(async () => (await manager.stats()).clients.length === 1)
  const dict = open(reference) as unknown as ManagedDict
  t.is(await dict.get('a'), 1)
})

test('after the transit time an object that nobody holds is lost', async t => {
  const manager = await start(t, { transit: 0 })
  const dict = await manager.dict({ a: 1 })
  const reference = dict.toJSON()
  dict.close()
  await until(async () => (await manager.stats()).objects === 0)
  const late = open(reference) as unknown as ManagedDict
  // The garbage collector of the manager may not have looked yet: then the object is found.
  const found = await late.get('a').catch((error: CrossmemError) => error.code)
  t.true(found === 1 || found === 'ERR_LOST', String(found))
})

test('a reference that no manager made is refused', t => {
  for (const name of [
    '',
    'x',
    '../../etc#0000000000000000#1#Dict',
    'm#0000000000000000#1#Nope',
    'm#0#1#Dict',
  ]) {
    t.throws(() => open({ crossmem: 'Managed', name }), { instanceOf: CrossmemError }, name)
  }
})

test('handles of crossmem in values stay open at the manager', async t => {
  const manager = await start(t)
  const dict = await manager.dict<string, unknown>()
  const array = SharedArray.create(null, 'int32', [1, 2])
  await dict.set('array', { array })
  array.close()
  const { array: again } = (await dict.get('array')) as { array: SharedArray<'int32'> }
  t.deepEqual(again.toArray(), [1, 2])
  again.close()
})

test('a killed client gives back what it held', async t => {
  const manager = await start(t)
  const user = await hireUser(t, manager)
  await user.tell({ do: 'make', as: 'a', with: 'dict', args: [{ a: 1 }] })
  const before = await manager.stats()
  t.is(before.clients.length, 2)
  await user.kill()
  await until(async () => (await manager.stats()).clients.length === 1)
  t.pass()
})

test('pending and later calls reject when the manager is killed, and nothing is left', async t => {
  const manager = await start(t, { modules: [classes] })
  const user = await hireUser(t, manager)
  const [queue, dict] = [await manager.queue(), await manager.dict({ a: 1 })]
  await user.tell({ do: 'open', as: 'queue', reference: queue.toJSON() })
  const theirs = user.begin({ do: 'invoke', on: 'queue', method: 'get' })
  await theirs.waits
  const ours = queue.get()
  const { pid } = await manager.stats()
  process.kill(pid, 'SIGKILL')
  await t.throwsAsync(ours, { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(theirs.result, { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(dict.get('a'), { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(manager.dict(), { code: 'ERR_PEER_DIED' })
  await user.kill()
  await manager.close()
  t.deepEqual(
    leftovers().filter(file => file.includes('managers')),
    [],
  )
})

test('with restart, a killed manager is started anew, and old proxies say that they are lost', async t => {
  const manager = await start(t, { restart: true, name: 'phoenix' })
  const dict = await manager.dict({ a: 1 })
  const { pid } = await manager.stats()
  process.kill(pid, 'SIGKILL')
  const lost = await dict.get('a').then(
    () => 'no error',
    (error: CrossmemError) => error.code,
  )
  t.true(lost === 'ERR_PEER_DIED' || lost === 'ERR_LOST', lost)
  // The manager itself goes on as soon as the new process serves.
  await until(() =>
    manager.stats().then(
      stats => stats.pid !== pid,
      () => false,
    ),
  )
  await t.throwsAsync(dict.get('a'), { code: 'ERR_LOST' })
  await t.throwsAsync((open(dict.toJSON()) as unknown as ManagedDict).get('a'), { code: 'ERR_LOST' })
  const fresh = await manager.dict({ b: 2 })
  t.is(await fresh.get('b'), 2)
})

test('a published object lives without clients, and is found by its name', async t => {
  const manager = await start(t)
  const dict = await manager.dict({ a: 1 })
  await manager.publish('scores', dict)
  await t.throwsAsync(manager.publish('scores', dict), { code: 'ERR_EXISTS' })
  dict.close()
  const user = await hireUser(t, manager)
  await user.tell({ do: 'open', as: 'scores', published: 'scores' })
  t.is(await user.tell({ do: 'invoke', on: 'scores', method: 'get', args: ['a'] }), 1)
  await t.throwsAsync(manager.get('other'), { code: 'ERR_NOT_FOUND' })
  t.deepEqual([await manager.unpublish('scores'), await manager.unpublish('scores')], [true, false])
  await t.throwsAsync(manager.get('scores'), { code: 'ERR_NOT_FOUND' })
})

test('changes are watched, also those of other processes', async t => {
  const manager = await start(t)
  const dict = await manager.dict<unknown>({ a: 1 })
  const user = await hireUser(t, manager)
  await user.tell({ do: 'open', as: 'dict', reference: dict.toJSON() })
  const changes = await dict.watch('a')
  await user.tell({ do: 'invoke', on: 'dict', method: 'set', args: ['a', 2] })
  await user.tell({ do: 'invoke', on: 'dict', method: 'set', args: ['b', 2] })
  await user.tell({ do: 'invoke', on: 'dict', method: 'delete', args: ['a'] })
  t.deepEqual((await changes.next()).value, { key: 'a', value: 2, deleted: false, missed: 0 })
  t.deepEqual((await changes.next()).value, { key: 'a', value: undefined, deleted: true, missed: 0 })
  await changes.return()
  const few = await dict.watchAll({ buffer: 2 })
  for (const n of [1, 2, 3, 4]) await dict.set('n', n)
  t.deepEqual((await few.next()).value, { key: 'n', value: 3, deleted: false, missed: 2 })
  await few.return()
  const end = new AbortController()
  const aborted = await dict.watch('a', { signal: end.signal })
  const next = aborted.next()
  end.abort(new RangeError('enough'))
  await t.throwsAsync(next, { instanceOf: RangeError })
})

test('a name belongs to one manager; that of a killed one is free again', async t => {
  const manager = await start(t, { name: 'jobs' })
  await t.throwsAsync(Manager.start({ name: 'jobs' }), { code: 'ERR_EXISTS' })
  const other = await Manager.connect('jobs')
  t.is((await other.stats()).name, 'jobs')
  await other.close()
  const { pid } = await manager.stats()
  process.kill(pid, 'SIGKILL')
  const again = await (async () => {
    for (;;) {
      try {
        return await Manager.start({ name: 'jobs' })
      } catch (error) {
        if ((error as CrossmemError).code !== 'ERR_EXISTS') throw error
      }
    }
  })()
  t.is((await again.stats()).name, 'jobs')
  await again.close()
})

test('managers of two domains of a user start at the same time', async t => {
  const other = unique('other')
  const env = { ...process.env, CROSSMEM_DOMAIN: other }
  const program = `require('crossmem/manager').Manager.start({ name: 'twin' }).then(m => m.close())`
  const run = promisify(execFile)
  const elsewhere = () => run(process.execPath, ['-e', program], { env, cwd: root })
  const here = async () => {
    for (let i = 0; i < 5; i++) await (await Manager.start({ name: 'twin' })).close()
  }
  await Promise.all([here(), elsewhere().then(elsewhere)])
  t.deepEqual(
    readdirSync('/dev/shm').filter(file => file.includes(other)),
    [],
  )
})

test('only this user can open the socket', async t => {
  const manager = await start(t, { name: 'private' })
  const [folder = ''] = leftovers().filter(file => file.includes('managers'))
  t.is(lstatSync(join('/dev/shm', folder)).mode & 0o777, 0o700)
  t.is(lstatSync(join('/dev/shm', folder, 'private.sock')).mode & 0o777, 0o600)
  await manager.close()
  t.deepEqual(
    leftovers().filter(file => file.includes('managers')),
    [],
  )
})

test('a manager can be served in this process, with classes at hand', async t => {
  const manager = await Manager.serve({ name: unique('here').slice(0, 40) })
  t.teardown(() => manager.close())
  class Greeter {
    greet(name: string): string {
      return `hello ${name}`
    }
  }
  manager.register('Greeter', Greeter)
  t.throws(() => manager.register('Greeter', Greeter), { code: 'ERR_EXISTS' })
  t.throws(() => manager.register('Dict', Greeter), { code: 'ERR_INVALID_ARG' })
  const user = await hireUser(t, manager)
  await user.tell({ do: 'make', as: 'greeter', with: 'create', args: ['Greeter'] })
  t.is(await user.tell({ do: 'invoke', on: 'greeter', method: 'greet', args: ['Ann'] }), 'hello Ann')
  const far = await start(t)
  t.throws(() => far.register('Greeter', Greeter), { code: 'ERR_UNSUPPORTED' })
})

test('limits are told to the client that reaches them', async t => {
  const manager = await start(t, { maxObjects: 3, maxClients: 2, maxCalls: 2, maxMessageBytes: 10_000 })
  const dicts = [await manager.dict(), await manager.dict(), await manager.queue()]
  await t.throwsAsync(manager.dict(), { code: 'ERR_LIMIT', message: /maxObjects/ })
  dicts[1]?.close()
  await until(() =>
    manager.dict().then(
      () => true,
      () => false,
    ),
  )
  const other = await Manager.connect(manager.name)
  await t.throwsAsync(Manager.connect(manager.name), { code: 'ERR_LIMIT', message: /maxClients/ })
  await other.close()
  const queue = dicts[2] as Awaited<ReturnType<Manager['queue']>>
  const stop = new AbortController()
  const waits = [queue.get({ signal: stop.signal }), queue.get({ signal: stop.signal })]
  await t.throwsAsync(queue.get(), { code: 'ERR_LIMIT', message: /maxCalls/ })
  stop.abort()
  const ends = await Promise.allSettled(waits)
  t.deepEqual(
    ends.map(end => end.status === 'rejected' && end.reason.name),
    ['AbortError', 'AbortError'],
  )
  await t.throwsAsync((dicts[0] as ManagedDict).set('a', new Uint8Array(20_000)), { code: 'ERR_TOO_LARGE' })
  await (dicts[0] as ManagedDict).set('a', new Uint8Array(5000))
})

test('bad arguments are refused before anything is sent', async t => {
  await t.throwsAsync(Manager.start({ nam: 'x' } as never), {
    code: 'ERR_INVALID_ARG',
    message: /did you mean "name"/,
  })
  await t.throwsAsync(Manager.start({ name: '../x' }), { code: 'ERR_INVALID_NAME' })
  await t.throwsAsync(Manager.start({ modules: ['./no-such-module.js'] }), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(Manager.connect('no-such-manager'), { code: 'ERR_NOT_FOUND' })
  const manager = await start(t)
  await t.throwsAsync(manager.dict(5 as never), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(manager.list(5 as never), { code: 'ERR_INVALID_ARG' })
  const other = await start(t)
  const [mine, theirs] = [await manager.dict<string, unknown>(), await other.dict()]
  await t.throwsAsync(mine.set('a', theirs), {
    code: 'ERR_INVALID_ARG',
    message: /another manager/,
  })
})

test.after('nothing is left', t => {
  t.deepEqual(listObjects(), [])
  t.deepEqual(
    leftovers().filter(file => file.includes('managers')),
    [],
  )
})
