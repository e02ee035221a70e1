import { deepStrictEqual } from 'node:assert'
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { type BoundCodec, type CodecOption, codecFor } from '../../src/codecs/codec.js'
import { random } from '../helpers/random.js'
import { damaged, randomValue } from '../helpers/random-values.js'
import { structured } from './structured.js'

export const clones = ['msgpack', 'v8'] as const
export const builtIn = [...clones, 'json'] as const

/** The codec 'msgpack' of a queue. */
export const STRUCTURED = 'msgpack, with structures'
type Named = CodecOption<unknown> | typeof STRUCTURED

const named = (option: Named): BoundCodec<unknown> =>
  option === STRUCTURED ? structured() : codecFor<unknown>(option)

/** There and back, through bytes that are overwritten as soon as they have been read. */
export function travel(option: Named, value: unknown): unknown {
  const codec = named(option)
  // At an odd address, so that whatever shows the message itself is found out.
  const bytes = new Uint8Array(1 << 16).subarray(3)
  const encoded = codec.encode(value)
  const message = encoded.length < bytes.length ? bytes.subarray(0, encoded.length) : encoded.slice()
  message.set(encoded)
  const decoded = codec.decode(message)
  message.fill(0xee)
  return decoded
}

export function same(t: ExecutionContext, actual: unknown, expected: unknown): void {
  t.notThrows(() => deepStrictEqual(actual, expected))
}

const sparse: unknown[] = [1, undefined, 3]
sparse[7] = 'x'
const longSparse: unknown[] = []
longSparse[4_000_000_000] = 1
export const cyclic: Record<string, unknown> = { list: [], map: new Map(), set: new Set() }
cyclic.self = cyclic
;(cyclic.list as unknown[]).push(cyclic, cyclic.list)
;(cyclic.map as Map<unknown, unknown>).set(cyclic, cyclic.map)
;(cyclic.set as Set<unknown>).add(cyclic.set)
const shared = { date: new Date(5) }
const bytes = Uint8Array.from({ length: 64 }, (_, i) => i)
const key = { key: 1 }
export class Job {
  #secret = 1
  id = 1
  get secret(): number {
    return this.#secret
  }
}
class JobThatHasJson extends Job {
  toJSON(): string {
    return 'as structured clone, this is not called'
  }
}

const table: Record<string, unknown[]> = {
  primitives: [undefined, null, true, false, '', 'a', 0, -0, 1.5, Number.NaN, Infinity, -Infinity],
  integers: [
    ...[5, 7, 8, 15, 16, 31, 32, 33, 52, 53, 63, 64].flatMap(n => [
      2 ** n - 1,
      2 ** n,
      -(2 ** n),
      -(2 ** n) - 1,
    ]),
    Number.MAX_VALUE,
    Number.MIN_VALUE,
  ],
  bigints: [0, 1, 31, 63, 64, 65, 127, 128, 1000, 70_000].flatMap(n => [
    2n ** BigInt(n),
    2n ** BigInt(n) - 1n,
    -(2n ** BigInt(n)),
    -(2n ** BigInt(n)) - 1n,
  ]),
  strings: [
    'Zürich, 東京, 🦀',
    '\0\u0001',
    '\ud800',
    'a\udc00b',
    ...[31, 32, 63, 64, 255, 256, 65535, 65536].flatMap(n => ['x'.repeat(n), 'ü'.repeat(n), '🦀'.repeat(n)]),
    `${'x'.repeat(100)}\ud800`,
  ],
  arrays: [[], [undefined], [[[]]], [null, [undefined]], Array.from({ length: 100_000 }, (_, i) => i)],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  'sparse arrays': [sparse, [, 1], new Array(3), { longSparse }],
  objects: [
    {},
    { a: undefined, b: { c: [{}] } },
    { '': 1, 'a b': 2, ü: 3, '\ud800': 4, 7: 5, '-1': 6 },
    Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i])),
  ],
  'objects whose keys mean something elsewhere': [
    JSON.parse('{ "__proto__": { "polluted": true }, "a": 1 }'),
    JSON.parse('[{ "a": { "__proto__": 1 } }]'),
    // biome-ignore lint/suspicious/noThenProperty: a value that looks like a promise is tested
    { constructor: 1, toJSON: 2, hasOwnProperty: 3, length: 4, then: 5, crossmem: 6, name: 7 },
    { crossmem: 'NDArray', name: 'a reference' },
    { a: 1, __keys__: 2 },
    { a: 1 },
  ],
  dates: [
    0,
    1,
    -1,
    999,
    -62_135_596_800_001,
    2 ** 32 * 1000 - 1,
    2 ** 34 * 1000 + 1,
    8.64e15,
    -8.64e15,
    1.7e12 + 123,
  ].map(time => new Date(time)),
  'maps and sets': [
    new Map(),
    new Map<unknown, unknown>([
      ['a', 1],
      [key, new Map([[[key], new Set([1])]])],
      [undefined, undefined],
      [Number.NaN, -0],
    ]),
    { object: { a: 1 }, map: new Map([['a', 1]]) },
    new Set<unknown>([1, '1', new Set()]),
  ],
  bytes: [
    ...[
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
      DataView,
    ].flatMap((View: new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView) => [
      new View(bytes.slice().buffer),
      new View(new ArrayBuffer(0)),
      { a: 1, view: new View(bytes.slice().buffer, 16, 2) },
    ]),
    bytes.buffer,
    new ArrayBuffer(100_000),
    Buffer.from('a buffer'),
    [Buffer.alloc(300), Buffer.alloc(70_000, 1)],
  ],
  expressions: [/a+/giu, [/\/"/]],
  'boxed primitives': [Object(1), Object('s'), Object(false), [Object(2n)]],
  'shared references and cycles': [[shared, shared, { shared }], cyclic],
}

/** What is promised of codecs that carry whatever structured clone does. */
export function testClone(codec: (typeof clones)[number] | typeof STRUCTURED): void {
  for (const [what, values] of Object.entries(table)) {
    test(`${codec} carries ${what}`, t => {
      for (const value of values) {
        same(t, travel(codec, value), value)
        // Beside something that MessagePack doesn't have.
        const mixed = { before: 1, value, regexp: /x/ }
        same(t, travel(codec, mixed), mixed)
      }
    })
  }

  test(`${codec} carries an invalid date`, t => {
    // deepStrictEqual of older Node versions tells invalid dates apart.
    const [date] = travel(codec, [new Date(Number.NaN)]) as [Date]
    t.true(date instanceof Date)
    t.is(date.getTime(), Number.NaN)
  })

  test(`${codec} keeps identity`, t => {
    const [a, b, { shared: c }] = travel(codec, [shared, shared, { shared }]) as [
      object,
      object,
      { shared: object },
    ]
    t.true(a === b && b === c)
    const back = travel(codec, cyclic) as typeof cyclic
    t.is(back.self, back)
    t.is((back.map as Map<unknown, unknown>).get(back), back.map)
  })

  test(`${codec} makes views of a buffer of their own`, t => {
    for (const value of [
      bytes.subarray(1, 9),
      new Float64Array(3),
      Buffer.from('abc'),
      new DataView(bytes.buffer, 3, 5),
    ]) {
      for (const view of [
        travel(codec, value),
        (travel(codec, [/x/, value]) as unknown[])[1],
      ] as Uint8Array[]) {
        t.deepEqual([view.byteOffset, view.buffer.byteLength], [0, value.byteLength])
        t.is(view.constructor, value.constructor)
      }
    }
    const onShared = new Uint8Array(new SharedArrayBuffer(4)).fill(7)
    t.deepEqual(travel(codec, onShared), new Uint8Array(4).fill(7))
  })

  test(`${codec} makes plain objects of classes, and pollutes nothing`, t => {
    same(t, travel(codec, [new Job(), new JobThatHasJson()]), [{ id: 1 }, { id: 1 }])
    same(t, travel(codec, Object.assign(Object.create(null), { a: 1, toJSON: 2 })), { a: 1, toJSON: 2 })
    class Numbers extends Uint8Array {}
    class List extends Array<number> {}
    class Table extends Map<unknown, unknown> {}
    same(t, travel(codec, [Numbers.of(1, 2), List.from([1]), new Table([[1, 2]])]), [
      Uint8Array.of(1, 2),
      [1],
      new Map([[1, 2]]),
    ])
    const foreign = runInNewContext('({ a: [1], date: new Date(5), map: new Map([[1, 2]]) })')
    same(t, travel(codec, foreign), { a: [1], date: new Date(5), map: new Map([[1, 2]]) })
    const back = travel(codec, JSON.parse('{ "__proto__": { "polluted": true } }')) as object
    t.true(Object.hasOwn(back, '__proto__'))
    t.is(Object.getPrototypeOf(back), Object.prototype)
    t.is((back as { polluted?: true }).polluted, undefined)
  })

  test(`${codec} carries errors, with all that belongs to them`, t => {
    const error = new RangeError('outer', { cause: new TypeError('inner', { cause: { id: 1 } }) })
    const back = travel(codec, { error }) as { error: RangeError & { cause: TypeError & { cause: unknown } } }
    t.true(back.error instanceof RangeError && back.error.cause instanceof TypeError)
    t.deepEqual([back.error.message, back.error.cause.message], ['outer', 'inner'])
    t.deepEqual(back.error.cause.cause, { id: 1 })
    t.is(back.error.stack, error.stack)
    t.deepEqual(Object.keys(back.error), [])
    class JobError extends Error {
      override name = 'JobError'
      code = 'ERR_JOB'
    }
    const other = travel(codec, new JobError('failed')) as JobError
    t.deepEqual([other.message, other.name, other.code], ['failed', 'JobError', 'ERR_JOB'])
    t.is(Object.getPrototypeOf(other), Error.prototype)
    const missing = t.throws(() => readFileSync('/no/such/file')) as NodeJS.ErrnoException
    same(t, travel(codec, missing), missing)
    t.is((travel(codec, missing) as NodeJS.ErrnoException).syscall, 'open')
    const foreign = travel(codec, runInNewContext("new TypeError('elsewhere')")) as TypeError
    t.true(foreign instanceof TypeError)
    t.is(foreign.message, 'elsewhere')
  })

  test(`${codec} names the value that can't be sent, and its place`, t => {
    const { encode } = named(codec)
    const cases: [unknown, RegExp][] = [
      [() => 1, /^value can't be sent: \(\) => 1 could not be cloned; leave/],
      [Symbol('a'), /^value can't be sent: Symbol\(a\)/],
      [{ id: 1, tags: ['a', () => 1] }, /^value\.tags\[1\] can't be sent: \(\) => 1/],
      [{ jobs: [{}, { done: Promise.resolve() }] }, /^value\.jobs\[1\]\.done can't be sent: #<Promise>/],
      [[new WeakMap()], /^value\[0\] can't be sent: #<WeakMap>/],
      [[new WeakRef({})], /^value\[0\]/],
      [new Map([['a', Symbol('b')]]), /^value can't be sent: Symbol\(b\)/],
      [{ buffer: new SharedArrayBuffer(1) }, /^value\.buffer can't be sent/],
      [
        {
          get broken() {
            throw new Error('by its getter')
          },
        },
        /can't be sent: by its getter/,
      ],
    ]
    for (const [value, message] of cases) {
      const error = t.throws(() => encode(value), { code: 'ERR_INVALID_ARG', message })
      t.true(error?.cause instanceof Error)
      same(t, travel(codec, { still: 'good' }), { still: 'good' })
    }
    const loop: Record<string, unknown> = { bad: () => 1 }
    loop.loop = { loop }
    t.throws(() => encode({ a: loop }), { code: 'ERR_INVALID_ARG' })
  })

  test(`${codec} carries values nested a thousand levels deep, in a worker, too, and refuses deeper ones`, async t => {
    const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
      let value: unknown = 1
      for (let i = 0; i < levels; i++) value = wrap(value)
      return value
    }
    const wraps = [(a: unknown) => ({ a }), (a: unknown) => [a], (a: unknown) => new Map([[1, a]])]
    for (const wrap of wraps) {
      const value = nested(1000, wrap)
      // Comparing takes more stack than there is.
      let inner = travel(codec, value)
      let depth = 0
      for (; inner !== 1; depth++)
        inner = inner instanceof Map ? inner.get(1) : Object.values(inner as object)[0]
      t.is(depth, 1000)
      for (const levels of [1001, 100_000]) {
        t.throws(() => named(codec).encode(nested(levels, wrap)), {
          code: 'ERR_INVALID_ARG',
          message: /nested/,
        })
      }
    }
    if (codec === STRUCTURED) return
    const encoded = codecFor(codec)
      .encode(nested(1000, a => ({ a })))
      .slice()
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads')
      const { codecFor } = require(workerData.path)
      const codec = codecFor(workerData.codec)
      parentPort.postMessage(codec.encode(codec.decode(workerData.encoded)).length)`,
      { eval: true, workerData: { path: require.resolve('../../src/codecs/codec.js'), codec, encoded } },
    )
    t.is(
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
      encoded.length,
    )
  })

  test(`${codec} gives back any value as structured clone does`, t => {
    const next = random(7)
    for (let i = 0; i < 3000; i++) {
      const value = randomValue(next)
      const expected = structuredClone(value)
      try {
        deepStrictEqual(travel(codec, value), expected)
      } catch (error) {
        t.fail(`value ${i}: ${error}`)
        return
      }
    }
    t.pass()
  })
}

/** What is promised of every codec that comes with crossmem. */
export function testCodec(name: (typeof builtIn)[number] | typeof STRUCTURED): void {
  test(`damaged bytes are refused or are another value, and hurt nothing: ${name}`, t => {
    const next = random(11)
    const codec = named(name)
    let refused = 0
    for (let i = 0; i < 6000; i++) {
      const value = name === 'json' ? { i, list: ['a', { b: [i, null, 'ü'] }] } : randomValue(next)
      const message = damaged(codec.encode(value), next)
      try {
        codec.decode(message)
      } catch (error) {
        const { code, cause } = error as { code: string; cause: unknown }
        if (code !== 'ERR_CORRUPT' || !(cause instanceof Error)) {
          t.fail(`${Buffer.from(message).toString('hex')}: ${error}`)
          return
        }
        refused++
      }
    }
    t.true(refused > 1000, `${refused}`)
    same(t, travel(name, { still: 'good' }), { still: 'good' })
  })

  test(`no bytes, truncated ones and another codec's are ERR_CORRUPT: ${name}`, t => {
    const codec = named(name)
    const message = codec.encode({ id: 1, name: 'job', list: [1, 2, { a: 'b' }] }).slice()
    for (let length = 0; length < message.length; length++) {
      t.throws(() => codec.decode(message.subarray(0, length)), {
        code: 'ERR_CORRUPT',
        message: new RegExp(codec.label),
      })
    }
    for (const other of builtIn.filter(other => other !== name)) {
      t.throws(() => codecFor(other).decode(message), { code: 'ERR_CORRUPT' })
    }
  })
}
