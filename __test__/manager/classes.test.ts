import '../helpers/domain.js'
import ava from 'ava'
import { open } from 'crossmem'
import { Manager, type Remote } from 'crossmem/manager'
import type { Maths, More } from '../fixtures/manager/classes.js'
import { compiled } from '../helpers/paths.js'

const test = ava.serial
const classes = compiled('__test__', 'fixtures', 'manager', 'classes.js')
let manager: Manager

test.before(async () => {
  manager = await Manager.start({ modules: [classes] })
})
test.after.always(() => manager.close())

test('methods, getters and inherited members of an exported class can be called', async t => {
  const maths = await manager.create<More>('More', 40)
  t.is(await maths.add(1, 1), 42)
  t.is(await maths.sum, 42)
  t.is(await maths.double(), 84)
  t.deepEqual(await maths.later({ a: [1] }), { a: [1] })
  t.true(Object.isFrozen(await maths.later({ a: [1] })))
})

test('an error arrives with its class, message, properties and the stack of the manager', async t => {
  const maths = await manager.create<Maths>('Maths')
  const error = (await t.throwsAsync(maths.fail('too much'), {
    instanceOf: RangeError,
    message: 'too much',
  })) as RangeError & { detail: object }
  t.deepEqual(error.detail, { secret: 42 })
  t.regex(error.stack as string, /fixtures[\\/]manager[\\/]classes/)
})

test('objects of registered classes travel by reference, both ways', async t => {
  const maths = await manager.create<Maths>('Maths', 1)
  const twin = (await maths.twin()) as unknown as Remote<Maths>
  await twin.add(5)
  t.deepEqual([await maths.sum, await twin.sum], [1, 6])
  const self = await maths.self()
  t.true(await maths.isSame(self))
  t.false(await maths.isSame(twin))
  const again = open(JSON.parse(JSON.stringify(twin))) as unknown as Remote<Maths>
  t.is(await again.sum, 6)
})

test('an object of the manager is an argument that the class can use', async t => {
  const maths = await manager.create<Maths>('Maths', 9)
  const list = await manager.list<unknown>([])
  t.is(await maths.addTo(list as never), 1)
  t.deepEqual(await list.toArray(), [9])
})

test('what a generator yields is iterated over at the client', async t => {
  const maths = await manager.create<Maths>('Maths')
  const squares: number[] = []
  for await (const square of (await maths.squares(100)) as AsyncIterable<number>) squares.push(square)
  t.is(squares.length, 100)
  t.is(squares[99], 9801)
})

test('a function that was exported returns one object for all', async t => {
  const [one, other] = [await manager.create<Maths>('getShared'), await manager.create<Maths>('getShared')]
  await one.add(1)
  t.is(await other.sum, await one.sum)
})

test('no other name leads anywhere', async t => {
  const maths = (await manager.create<Maths>('Maths')) as unknown as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >
  const names = [
    '_private',
    '#secret',
    'total',
    '_hidden',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'isPrototypeOf',
    '__defineGetter__',
    '__lookupGetter__',
    'propertyIsEnumerable',
    'sum',
    '',
  ]
  for (const name of names) {
    const member = Object.hasOwn(Object.prototype, name) ? undefined : maths[name]
    if (member) await t.throwsAsync(member(), { code: 'ERR_INVALID_ARG' }, name)
  }
  await t.throwsAsync(manager.create('constructor'), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(manager.create('__proto__'), { code: 'ERR_NOT_FOUND' })
  await t.throwsAsync(manager.create('process'), { code: 'ERR_NOT_FOUND', message: /Maths, More/ })
})

test('a call that is under way rejects when the manager dies in it', async t => {
  const mortal = await Manager.start({ modules: [classes] })
  const maths = await mortal.create<Maths>('Maths')
  const blocked = maths.block()
  await t.throwsAsync(maths.exit(), { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(blocked, { code: 'ERR_PEER_DIED' })
  await mortal.close()
})
