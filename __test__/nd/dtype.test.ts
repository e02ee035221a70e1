import vm from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { checkDType, checkUsable, dtypeOfTypedArray, readDType } from '../../src/nd/dtype.js'
import { numericDTypes } from '../../src/nd/numbers.js'
import { checkNumericDType } from '../../src/nd/spelling.js'
import type { NumericDType, Scalar } from '../../src/nd/types.js'
import { show } from '../../src/util/show.js'

/** The dtype of a descr whose elements are used as they lie in memory. */
const usable = (descr: unknown) => checkUsable(readDType(descr)).name

const all = Object.keys(numericDTypes) as NumericDType[]

/** A dtype's functions without their types, to feed them what TypeScript would refuse. */
function loose(dtype: NumericDType) {
  const info = numericDTypes[dtype]
  return info as unknown as {
    Storage: new (length: number) => ArrayBufferView & { length: number; [i: number]: number | bigint }
    read(data: unknown, i: number): Scalar
    write(data: unknown, i: number, value: unknown): void
  }
}

const refuses = (t: ExecutionContext, code: string, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code, message })

test('the table is consistent', t => {
  for (const dtype of all) {
    const { name, descr, itemBytes, lanes, Storage } = numericDTypes[dtype]
    t.is(name, dtype)
    t.is(itemBytes, Storage.BYTES_PER_ELEMENT * lanes)
    t.is(Number(String(descr).slice(2)), itemBytes, 'the descr says the size')
    t.is(String(descr).startsWith('|'), itemBytes === 1)
    t.is(lanes, dtype.startsWith('complex') ? 2 : 1)
    t.is(usable(descr), dtype)
  }
})

const values: Record<NumericDType, Scalar[]> = {
  bool: [true, false],
  int8: [-128, 127, 0],
  uint8: [255, 0],
  int16: [-32768, 32767],
  uint16: [65535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [2 ** 32 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [2n ** 64n - 1n, 0n],
  float16: [1.5, -0.25, 65504, 2 ** -24, Infinity, -Infinity, NaN, -0],
  float32: [1.5, 2 ** -149, Infinity, NaN, -0],
  float64: [0.1, Number.MIN_VALUE, Number.MAX_VALUE, NaN, -0],
  complex64: [
    [1.5, -2.5],
    [NaN, Infinity],
    [-0, 0],
  ],
  complex128: [
    [0.1, -0.2],
    [0, -0],
  ],
}

test('written elements are read back, at the right place', t => {
  for (const dtype of all) {
    const { Storage, read, write } = loose(dtype)
    const lanes = numericDTypes[dtype].lanes
    for (const value of values[dtype]) {
      const data = new Storage(3 * lanes)
      write(data, lanes, value)
      t.deepEqual(read(data, lanes), value, dtype)
      const zero = read(new Storage(lanes), 0)
      t.deepEqual(read(data, 0), zero)
      t.deepEqual(read(data, 2 * lanes), zero)
    }
  }
})

test('shorthands: 0 and 1 for booleans, safe integers for 64 bits, numbers for complex', t => {
  const store = (dtype: NumericDType, value: unknown) => {
    const { Storage, read, write } = loose(dtype)
    const data = new Storage(numericDTypes[dtype].lanes)
    write(data, 0, value)
    return read(data, 0)
  }
  t.is(store('bool', 1), true)
  t.is(store('bool', 0), false)
  t.is(store('int64', -5), -5n)
  t.is(store('uint64', Number.MAX_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER))
  t.deepEqual(store('complex64', 3), [3, 0])
  t.is(store('uint8', 257), 1)
  t.is(store('uint64', -1n), 2n ** 64n - 1n)
  t.is(store('float16', 1 + 2 ** -12), 1)
})

test('any byte but 0 reads as true', t => t.true(numericDTypes.bool.read(Uint8Array.of(2), 0)))

test('a scalar of the wrong kind is refused and leaves the element alone', t => {
  const never = [
    undefined,
    null,
    '1',
    {},
    [],
    [1],
    [1, 2, 3],
    [1, '2'],
    [1n, 2n],
    Symbol('x'),
    () => 1,
    Object.create(null),
  ]
  const wrong: Record<NumericDType, unknown[]> = Object.fromEntries(
    all.map(dtype => [dtype, [...never, ...(dtype.startsWith('complex') ? [1n, true] : [[1, 2]])]]),
  ) as Record<NumericDType, unknown[]>
  for (const dtype of all) {
    if (/^(u?int(8|16|32)|float)/.test(dtype)) wrong[dtype].push(1n, true)
    if (/^u?int64/.test(dtype)) wrong[dtype].push(1.5, NaN, 2 ** 53, true)
  }
  wrong.bool.push(2, -1, NaN, 1n, 0.5)
  for (const dtype of all) {
    const { Storage, write } = loose(dtype)
    const data = new Storage(2)
    for (const value of wrong[dtype])
      refuses(t, 'ERR_INVALID_ARG', /^expected .*, got /, () => write(data, 0, value))
    t.is(Number(data[0]), 0)
    t.is(Number(data[1]), 0)
  }
  t.regex(
    t.throws(() => loose('int8').write(new Int8Array(1), 0, 'x'.repeat(1e6)))?.message ?? '',
    /^.{0,200}$/,
  )
})

test('float16 bits agree with IEEE 754 binary16', t => {
  const { Storage, read, write } = numericDTypes.float16
  const data = new Storage(1)
  const bits = new Uint16Array(data.buffer)
  const known: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x7c00, Infinity],
    [0x8000, -0],
    [0x3555, 0.333251953125],
  ]
  for (const [pattern, value] of known) {
    bits[0] = pattern
    t.is(read(data, 0), value)
    bits[0] = 0
    write(data, 0, value)
    t.is(bits[0], pattern)
  }
  t.is(Storage.name, 'Float16Array' in globalThis ? 'Float16Array' : 'Uint16Array')
})

test('typed arrays and their dtypes', t => {
  for (const dtype of all) {
    if (['bool', 'complex64', 'complex128'].includes(dtype)) continue
    const { Storage } = loose(dtype)
    t.is(dtypeOfTypedArray(new Storage(2)), Storage.name === 'Uint16Array' ? 'uint16' : dtype)
  }
  t.is(dtypeOfTypedArray(Buffer.from('x')), 'uint8')
  t.is(dtypeOfTypedArray(new Uint8ClampedArray(1)), 'uint8')
  t.is(dtypeOfTypedArray(new Float32Array(new SharedArrayBuffer(8))), 'float32')
  t.is(dtypeOfTypedArray(vm.runInNewContext('new Int16Array(1)')), 'int16')
  class Mine extends Float64Array {}
  t.is(dtypeOfTypedArray(new Mine(1)), 'float64')
  const others = [
    undefined,
    null,
    1,
    'Int8Array',
    [],
    [1],
    {},
    new ArrayBuffer(8),
    new DataView(new ArrayBuffer(8)),
    { [Symbol.toStringTag]: 'Int8Array' },
    Int8Array,
  ]
  for (const other of others)
    refuses(t, 'ERR_INVALID_ARG', /expected a typed array/, () => dtypeOfTypedArray(other))
})

test('byte orders in a descr', t => {
  for (const prefix of ['<', '=', '|', '']) t.is(usable(`${prefix}f4`), 'float32')
  for (const prefix of ['<', '>', '=', '|', '']) t.is(usable(`${prefix}u1`), 'uint8')
  t.is(usable('>b1'), 'bool')
})

test('a descr may be spelled as numpy.dtype reads it', t => {
  const spelled: Record<string, NumericDType> = {
    float64: 'float64',
    double: 'float64',
    '<d': 'float64',
    f08: 'float64',
    '=f 4': 'float32',
    half: 'float16',
    e: 'float16',
    '<q': 'int64',
    '|?': 'bool',
    '>?': 'bool',
    '|b': 'int8',
    B: 'uint8',
    '>B': 'uint8',
    intc: 'int32',
    uintp: 'uint64',
    '<D': 'complex128',
  }
  for (const [descr, dtype] of Object.entries(spelled)) t.is(usable(descr), dtype, descr)
  for (const descr of [
    '<float64',
    'Float64',
    'f3',
    'i16',
    '<<f8',
    'f8 ',
    '1f8',
    'toString',
    '__proto__',
    '',
    '<',
  ])
    refuses(t, 'ERR_UNSUPPORTED', /knows no such type|long double/, () => usable(descr))
})

test('a descr that crossmem cannot hold gets a reason', t => {
  const reasons: [unknown, RegExp][] = [
    ['|O', /Python objects/],
    ['|O8', /Python objects/],
    ['>f8', /big-endian/],
    ['>i2', /big-endian/],
    ['>c8', /big-endian/],
    ['>U3', /big-endian/],
    ['>M8[s]', /big-endian/],
    [[['x', '>f4']], /big-endian/],
    [[], /no bytes/],
    ['|V8', /8 raw bytes.*option dtype/],
    [[['x', 'V8']], /in the field 'x' it is 8 raw bytes/],
    ['<U0', /strings have no length/],
    ['|S0', /byte strings have no length/],
    ['S2147483648', /byte strings have no length/],
    ['U536870912', /strings have no length/],
    ['<M8[B]', /unit is none/],
    ['m8[0s]', /unit is none/],
    ['M8[2147483648s]', /unit is none/],
    ['|T16', /elsewhere in the memory/],
    ['<f16', /long double/],
    ['<c32', /long double/],
    ['<f3', /no such type/],
    ['<f8 ', /no such type/],
    ['<<f8', /no such type/],
    ['!f4', /no such type/],
    ['', /no such type/],
    ['<', /no such type/],
    ['toString', /no such type/],
    ['<constructor', /no such type/],
    ['<__proto__', /no such type/],
    ['f'.repeat(1e5), /no such type/],
  ]
  for (const [descr, reason] of reasons) {
    const error = refuses(t, 'ERR_UNSUPPORTED', reason, () => usable(descr))
    t.true((error?.message.length ?? 0) < 300)
  }
  for (const descr of [null, undefined, 8, 8n, true, {}, new Map()])
    refuses(t, 'ERR_CORRUPT', /no type string/, () => usable(descr))
})

test('dtypes from users: names, and what numpy.dtype reads', t => {
  for (const dtype of all) {
    t.is(checkDType(dtype), dtype)
    t.is(checkNumericDType(dtype), dtype)
  }
  const float: 'float32' = checkDType('<f4')
  t.is(float, 'float32')
  t.is(checkDType('float' as never), 'float64' as never)
  for (const name of ['Float32', 'f3', '', 'toString', '__proto__', null, undefined, 4, ['int8'], 'O'])
    refuses(t, 'ERR_INVALID_ARG', /one of bool, int8/, () => checkDType(name as never))
  for (const [code, dtype] of [
    ['float', 'float64'],
    ['<f4', 'float32'],
    ['i', 'int32'],
    ['B', 'uint8'],
  ] as const)
    t.is(checkNumericDType(code), dtype)
  for (const name of ['>f4', 'S8', 'c', 'M8[s]', 'bfloat16', 'toString', null, 4])
    refuses(t, 'ERR_INVALID_ARG', /one of bool, int8/, () => checkNumericDType(name))
  refuses(t, 'ERR_UNSUPPORTED', /big-endian/, () => checkDType('>f4' as never))
  refuses(t, 'ERR_UNSUPPORTED', /raw bytes/, () => checkDType('V4' as never))
})

test('values in messages are short and on one line, whatever they are', t => {
  const rude = { [Symbol.for('nodejs.util.inspect.custom')]: () => t.fail('called') }
  const values = [
    'x\n'.repeat(1e5),
    10n ** 5000n,
    new Array(40).fill(1),
    Object.fromEntries(Array(999).entries()),
    rude,
  ]
  for (const value of values) t.regex(show(value), /^.{1,160}$/)
  t.is(show([3, -1]), '[ 3, -1 ]')
})
