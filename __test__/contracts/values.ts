import { File } from 'node:buffer'
import { createSecretKey } from 'node:crypto'

/** What makes values depend on the runtime. */
export interface Runtime {
  hasFloat16: boolean
}

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object
  Memory: new (options: { initial: number }) => object
}

type View = new (buffer: ArrayBuffer, offset?: number, length?: number) => ArrayBufferView

const globals = globalThis as unknown as Record<string, View & { of(...items: number[]): ArrayBufferView }>

export const runtime: Runtime = { hasFloat16: globals.Float16Array !== undefined }

/** An error whose stack is the same in every runtime. */
function stacked<E extends Error>(error: E, more: object = {}): E {
  Object.defineProperty(error, 'stack', {
    value: 'at a place',
    writable: true,
    configurable: true,
    enumerable: false,
  })
  return Object.assign(error, more)
}

function cyclic(): unknown {
  const value: Record<string, unknown> = { list: [], map: new Map(), set: new Set() }
  value.self = value
  ;(value.list as unknown[]).push(value, value.list)
  ;(value.map as Map<unknown, unknown>).set(value, value.map)
  ;(value.set as Set<unknown>).add(value.set)
  return value
}

function shared(): unknown {
  const date = new Date(5)
  const bytes = Uint8Array.of(1)
  return [date, { date, bytes }, bytes, new Map([[date, bytes]])]
}

class JobError extends RangeError {
  readonly code = 'ERR_JOB'
  static {
    JobError.prototype.name = 'JobError'
  }
}

class Job {
  #secret = 1
  id = 1
  get secret(): number {
    return this.#secret
  }
}

const viewNames = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Float32Array',
  'Float64Array',
  'DataView',
]

const bytes = () => Uint8Array.from({ length: 64 }, (_, i) => i).buffer

/** Every kind of value that a queue carries, by the name that the documentation has for it. */
export const rows: Record<string, (where: Runtime) => unknown> = {
  '`undefined`, `null`, booleans': () => [undefined, null, true, false, { a: undefined }],
  numbers: () => [
    0,
    1,
    -1,
    31,
    32,
    -32,
    -33,
    127,
    128,
    -128,
    -129,
    255,
    256,
    65535,
    65536,
    -32769,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 31),
    -(2 ** 63),
    0.1,
    Number.MAX_VALUE,
    Number.MIN_VALUE,
  ],
  '`-0`, `NaN`, infinities': () => [
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    { a: -0 },
  ],
  bigints: () => [0n, -1n, 2n ** 63n, -(2n ** 64n), 3n ** 1000n, -(3n ** 999n)],
  strings: () => ['', 'a', 'Zürich, 東京, 🦀', '\0', 'x'.repeat(300), 'ü'.repeat(70_000), '🦀'.repeat(10)],
  'strings with lone surrogates': () => ['\ud800', 'a\udc00b', { '\ud800': `${'x'.repeat(50)}\udfff` }],
  'boxed primitives': () => [Object(1), Object(-0), Object('s'), Object(false), Object(2n)],
  objects: () => ({
    '': 1,
    'a b': { c: [{}] },
    7: 5,
    ü: 3,
    k: Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, i])),
  }),
  'objects with a key `__proto__`': () =>
    JSON.parse('{ "__proto__": { "polluted": true }, "a": [{ "__proto__": 1 }] }'),
  'objects of classes': () => [new Job(), Object.assign(Object.create(null), { a: 1 })],
  arrays: () => [[], [[[]]], [undefined], Array.from({ length: 1000 }, (_, i) => i * i)],
  // biome-ignore lint/suspicious/noSparseArray: holes are what is sent here.
  'arrays with holes': () => [[1, , 3], new Array(3), Object.assign([], { 4000000000: 1 })],
  'arrays with named properties': () => [
    'v1.2'.match(/(?<major>\d)\.(\d)/),
    Object.assign([1, 2], { total: 3 }),
    Object.assign(
      Array.from({ length: 200 }, (_, i) => i),
      { total: 3, '-1': 4 },
    ),
  ],
  dates: () => [0, 1, -1, 999, 8.64e15, -8.64e15, Number.NaN].map(time => new Date(time)),
  'regular expressions': () => [
    /a+/giu,
    /[/"]/,
    /(?<year>\d)/dy,
    // biome-ignore lint/complexity/useRegexLiterals: a literal of this flag needs a later target.
    new RegExp('\\p{Lu}', 'v'),
  ],
  maps: () =>
    new Map<unknown, unknown>([
      ['a', new Map([[{ key: 1 }, [Number.NaN]]])],
      [undefined, undefined],
      [Number.NaN, -0],
    ]),
  sets: () => new Set<unknown>([1, '1', new Set(), { a: 1 }]),
  '`ArrayBuffer`': () => [bytes(), new ArrayBuffer(0)],
  '`Buffer`': () => [Buffer.from('a buffer'), Buffer.alloc(0), Buffer.alloc(300, 1), Buffer.alloc(70_000, 2)],
  'typed arrays and `DataView`': () =>
    viewNames.flatMap(name => {
      const View = globals[name] as View
      return [new View(bytes()), new View(new ArrayBuffer(0)), new View(bytes(), 16, 2)]
    }),
  '`Float16Array`': ({ hasFloat16 }) =>
    hasFloat16 ? globals.Float16Array?.of(1.5, -0) : Uint16Array.of(0x3e00, 0x8000),
  errors: () => [
    stacked(new Error('a message')),
    ...[EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map(Class =>
      stacked(new Class('no')),
    ),
    stacked(new Error()),
  ],
  'errors with a `cause`': () =>
    stacked(new RangeError('outer', { cause: stacked(new TypeError('inner', { cause: { id: 1 } })) })),
  'an error that is its own cause': () => {
    const error = stacked(new Error('again'))
    error.cause = error
    return [error, { error }]
  },
  'errors with properties': () =>
    stacked(new Error('ENOENT'), {
      errno: -2,
      code: 'ENOENT',
      syscall: 'open',
      path: '/x',
      more: { list: [1n] },
    }),
  "errors of classes of one's own": () => stacked(new JobError('failed')),
  '`AggregateError`': () =>
    stacked(new AggregateError([stacked(new TypeError('a')), 1], 'all', { cause: 2 })),
  '`DOMException`': () => [
    stacked(new DOMException('aborted', 'AbortError')),
    stacked(new DOMException('late', 'TimeoutError'), { extra: [1] }),
  ],
  'shared references': shared,
  cycles: cyclic,
}

/** What comes out of a queue, where it isn't what was put in. */
export const arrivals: Record<string, () => unknown> = {
  'objects of classes': () => [{ id: 1 }, { a: 1 }],
  'arrays with named properties': () => {
    const make = rows['arrays with named properties'] as (where: Runtime) => unknown
    const [match, ...others] = make(runtime) as [RegExpMatchArray, ...unknown[]]
    return [Object.assign(match, { groups: { ...match.groups } }), ...others]
  },
  "errors of classes of one's own": () => {
    const error = stacked(new RangeError('failed'), { code: 'ERR_JOB' })
    Object.defineProperty(error, 'name', { value: 'JobError', writable: true, configurable: true })
    return error
  },
}

/** What can't travel, by codecs and runtimes alike. */
export const refused: Record<string, () => unknown> = {
  function: () => () => 1,
  symbol: () => Symbol('a'),
  'boxed symbol': () => Object(Symbol('a')),
  Promise: () => Promise.resolve(1),
  WeakMap: () => new WeakMap(),
  WeakSet: () => new WeakSet(),
  WeakRef: () => new WeakRef({}),
  FinalizationRegistry: () => new FinalizationRegistry(() => {}),
  generator: () => (function* () {})(),
  'Array Iterator': () => [][Symbol.iterator](),
  'Map Iterator': () => new Map().keys(),
  SharedArrayBuffer: () => new SharedArrayBuffer(1),
  'WebAssembly.Module': () => new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
  'WebAssembly.Memory': () => new WebAssembly.Memory({ initial: 1 }),
  'Intl.NumberFormat': () => new Intl.NumberFormat(),
  Blob: () => new Blob(['hello']),
  File: () => new File(['hello'], 'a'),
  URLSearchParams: () => new URLSearchParams('a=1'),
  AbortSignal: () => new AbortController().signal,
  EventTarget: () => new EventTarget(),
  Headers: () => new Headers(),
  ReadableStream: () => new ReadableStream(),
  MessagePort: () => {
    const { port1 } = new MessageChannel()
    port1.close()
    return port1
  },
  KeyObject: () => createSecretKey(Buffer.from('abc')),
  'detached view': () => {
    const view = new Uint8Array(4)
    structuredClone(view.buffer, { transfer: [view.buffer] })
    return view
  },
}
