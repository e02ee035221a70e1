import { runInNewContext } from 'node:vm'
import test from 'ava'
import { STRUCTURED, same, testClone, testCodec } from '../contracts/codec.js'
import { inPlace, List, memory, OFTEN } from '../contracts/structured.js'

testClone(STRUCTURED)
testCodec(STRUCTURED)

/** Two processes with one list. */
function pair(list = new List()) {
  const onto = memory()
  const [writer, reader] = [inPlace(list, onto), inPlace(list, onto)]
  const write = (value: unknown): number => writer.write(value) as number
  return {
    list,
    write,
    /** Writes a value, which the other process reads, and returns how many bytes it took. */
    send(value: unknown): { length: number; value: unknown } {
      const length = write(value)
      return { length, value: reader.read(0, length) }
    },
    read: (...bytes: number[]): unknown => {
      onto.bytes.set(bytes)
      return reader.read(0, bytes.length)
    },
    names: (): unknown[] => list.all.map(entry => JSON.parse(Buffer.from(entry).toString())),
  }
}

const repeat = (act: () => unknown): void => {
  for (let i = 0; i < OFTEN; i++) act()
}

test('names that were seen often are sent no more, and come back in their order', t => {
  const { send, names } = pair()
  const value = { second: [{ inner: 1, other: 'x' }], first: { inner: 2, other: 'y' } }
  const { length } = send(value)
  repeat(() => t.deepEqual(send(value).value, value))
  const later = send(value)
  t.true(later.length < length / 2, `${later.length} of ${length} bytes`)
  t.deepEqual(Object.keys(later.value as object), ['second', 'first'])
  t.deepEqual(names().map(String).sort(), ['inner,other', 'second,first'])
  const swapped = { first: 1, second: 2 }
  repeat(() => t.deepEqual(Object.keys(send(swapped).value as object), ['first', 'second']))
})

test('objects that are used as maps get no structures', t => {
  const { write, list } = pair()
  for (let i = 0; i < 20_000; i++) write({ [`key ${i}`]: i, [`other ${i * 7}`]: i })
  t.is(list.all.length, 0)
  repeat(() => write({ id: 1 }))
  t.is(list.all.length, 1)
})

test('names that say where they stand, many names and long ones get no structures', t => {
  const { send, names } = pair()
  const proto = JSON.parse('{ "__proto__": { "polluted": true }, "a": 1 }')
  const numbers = { b: 1, 7: 2, 5: 3 }
  const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, i]))
  for (const value of [proto, numbers, many, { ['x'.repeat(500)]: 1 }, {}]) {
    repeat(() => {
      const back = send(value).value as object
      t.deepEqual(Object.entries(back), Object.entries(value))
      t.is(Object.getPrototypeOf(back), Object.prototype)
    })
  }
  // The object within another one has a name like any other.
  t.deepEqual(names(), [['polluted']])
})

test('a name is never code', t => {
  const { send, names } = pair()
  const keys = [
    '"', "'", '`', '\\', '\\"', '\n', '\r', '\u2028', '\u2029', '\0', '*/', '//', '</script>',
    '"]: 0 }); throw 1; ({ ["', 'constructor', 'hasOwnProperty', 'toString', 'then', 'toJSON', 'names',
    'object', 'reader', 'writer', 'depth', '\ud800', 'a\udc00', '🦀', 'é', '',
  ] // biome-ignore format: a list
  for (const key of keys) {
    const value = { [key]: { [key]: key }, last: key }
    repeat(() => t.deepEqual(send(value).value, value))
  }
  t.true(names().length >= keys.length)
})

test('getters, symbols, classes, prototypes and other realms are as without structures', t => {
  const { send } = pair()
  let calls = 0
  const withGetter = {
    get first() {
      return ++calls
    },
    last: 1,
  }
  repeat(() => t.deepEqual(send(withGetter).value, { first: calls, last: 1 }))
  t.is(calls, OFTEN)
  class Point {
    x = 1
    y = 2
    get sum() {
      return this.x + this.y
    }
  }
  const hidden = Object.defineProperty({ x: 1, y: 2, [Symbol('s')]: 3 }, 'z', { value: 4 })
  const inherits = Object.assign(Object.create({ z: 5 }), { x: 1, y: 2 })
  const bare = Object.assign(Object.create(null), { x: 1, y: 2 })
  const foreign = runInNewContext('({ x: 1, y: 2 })')
  for (const value of [new Point(), hidden, inherits, bare, foreign, new Proxy({ x: 1, y: 2 }, {})]) {
    repeat(() => same(t, send(value).value, { x: 1, y: 2 }))
  }
  const shrinks = {
    get x() {
      Reflect.deleteProperty(this, 'y')
      return 1
    },
    y: 2 as number | undefined,
  }
  send(shrinks)
  t.deepEqual(send({ x: 1, y: undefined }).value, { x: 1, y: undefined })
})

test('an inherited name is not taken for one of the structure', t => {
  const { send } = pair()
  repeat(() => send({ b: 1, a: 2 }))
  t.is(send({ b: 1, a: 2 }).length, send({ b: 3, a: 4 }).length)
  t.deepEqual(Object.entries(send(Object.assign(Object.create({ a: 5 }), { b: 3 })).value as object), [
    ['b', 3],
  ])
  function Vector(this: { b: number }): void {
    this.b = 6
  }
  Vector.prototype.a = () => undefined
  const vector = Reflect.construct(Vector, []) as object
  t.deepEqual(send(vector).value, { b: 6 })
})

test('code is made again after a full stack kept it from being made', t => {
  const { send } = pair()
  const real = globalThis.Function
  let made = 0
  // As `new Function` fails where the stack is full.
  class Full {
    constructor() {
      made++
      throw new RangeError('Maximum call stack size exceeded')
    }
  }
  globalThis.Function = Full as unknown as FunctionConstructor
  try {
    t.throws(() => repeat(() => send({ deep: 1 })), { message: /stack/ })
    t.throws(() => repeat(() => send({ deep: 1 })), { message: /stack/ })
  } finally {
    globalThis.Function = real
  }
  t.is(made, 2)
  t.deepEqual(send({ deep: 2 }).value, { deep: 2 })
})

test('what all objects inherit is neither called nor sent', t => {
  const { send } = pair()
  const value = { shown: 1, other: 2 }
  repeat(() => send(value))
  const fails = () => t.fail('a setter was called')
  Object.defineProperty(Object.prototype, 'shown', { set: fails, get: () => 7, configurable: true })
  Object.defineProperty(Object.prototype, 'inherited', { value: 1, enumerable: true, configurable: true })
  try {
    const { value: back } = send(value)
    const plain = send({ shown: 3, third: 4 }).value
    t.deepEqual([Object.entries(back as object), Object.entries(plain as object)], [
      [['shown', 1], ['other', 2]],
      [['shown', 3], ['third', 4]],
    ]) // biome-ignore format: pairs
  } finally {
    Reflect.deleteProperty(Object.prototype, 'shown')
    Reflect.deleteProperty(Object.prototype, 'inherited')
  }
})

test('if the list is full, or another process adds to it, objects go with their names', t => {
  const full = pair(new List([], 1))
  repeat(() => full.send({ first: 1 }))
  repeat(() => t.deepEqual(full.send({ second: 1 }).value, { second: 1 }))
  t.deepEqual(full.names(), [['first']])

  let busy = true
  class Busy extends List {
    override add(bytes: Uint8Array): number | 'no room' | 'not now' {
      return busy ? 'not now' : super.add(bytes)
    }
  }
  const later = pair(new Busy())
  repeat(() => t.deepEqual(later.send({ first: 1 }).value, { first: 1 }))
  busy = false
  repeat(() => later.send({ first: 1 }))
  t.deepEqual(later.names(), [['first']])
})

test('processes that meet the same names share a structure', t => {
  const list = new List()
  for (const { send } of [pair(list), pair(list)]) {
    repeat(() => t.deepEqual(send({ id: 1, name: 'a' }).value, { id: 1, name: 'a' }))
  }
  t.is(list.all.length, 1)
})

test('a message of a structure that is not there, or was overwritten, is ERR_CORRUPT', t => {
  const entries = ['', '{}', '7', '["a"', '[1]', '["__proto__"]', '["a","a"]', '["7"]', '[["a"]]', 'null']
  const many = JSON.stringify(Array.from({ length: 33 }, (_, i) => `k${i}`))
  for (const entry of [...entries, many, '\ufffd']) {
    const { read } = pair(new List([Buffer.from(entry)]))
    t.throws(() => read(0xc1, 0x40, 1), { code: 'ERR_CORRUPT' }, entry)
  }
  const { read } = pair(new List([Buffer.from('["a"]')]))
  t.deepEqual(read(0xc1, 0x40, 1), { a: 1 })
  for (const number of [1, 63, 64, 0xbf]) {
    t.throws(() => read(0xc1, 0x40 + number, 1), { code: 'ERR_CORRUPT', message: /structure/ })
  }
  t.is(({} as { polluted?: unknown }).polluted, undefined)
})

test('values that outgrow the memory, and many at once, are written whole', t => {
  const onto = memory()
  const codec = inPlace(new List(), onto)
  const long = { text: 'é'.repeat(100_000) }
  const written = codec.write(long)
  t.true(typeof written === 'object')
  t.deepEqual(codec.decode(written as Uint8Array), long)
  for (const values of [
    [],
    [1, 'two', { three: 3 }],
    Array(5000).fill({ id: 1, name: 'x'.repeat(40) }),
    [long, 1],
  ]) {
    const { ends, bytes } = codec.writeMany(values)
    const all = (bytes ?? onto.bytes).slice(0, ends.at(-1))
    const messages = ends.map((end, at) => all.subarray(at === 0 ? 0 : ends[at - 1], end))
    t.deepEqual(
      messages.map(message => codec.decode(message)),
      values,
    )
  }
  t.throws(() => codec.writeMany([1, { bad: () => 1 }]), {
    code: 'ERR_INVALID_ARG',
    message: /^value\.bad can't be sent/,
  })
  t.is(onto.user, undefined)
})
