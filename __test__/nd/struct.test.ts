import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { checkDType, dtypeAs, dtypeInfo, readDType } from '../../src/nd/dtype.js'
import type { DType } from '../../src/nd/types.js'
import { NDView } from '../../src/nd/view.js'
import { random } from '../helpers/random.js'

const refuses = (t: ExecutionContext, message: RegExp, run: () => unknown, code = 'ERR_INVALID_ARG') =>
  t.throws(run, { instanceOf: CrossmemError, code, message })

/** A view of fresh memory. */
function fresh<D extends DType>(dtype: D, shape: number[] = [2]): NDView<D> {
  const { Storage, lanes } = dtypeInfo(dtype)
  const size = shape.reduce((a, b) => a * b, 1)
  return new NDView({ data: new Storage(size * lanes), dtype, shape } as never)
}

const trade = checkDType([
  ['id', '<i8'],
  ['px', '<f8', [3]],
  ['sym', 'S8'],
])

test("NumPy's list and dict forms are read, and shown in one form", t => {
  t.deepEqual(trade, [
    ['id', 'int64'],
    ['px', 'float64', [3]],
    ['sym', 'S8'],
  ])
  t.true(Object.isFrozen(trade))
  t.is(checkDType(trade), trade)
  t.deepEqual(checkDType(JSON.parse(JSON.stringify(trade))), trade)
  t.is(dtypeInfo(trade).itemBytes, 40)
  const forms: [unknown, unknown, number][] = [
    [[['a', 'i4', 2]], [['a', 'int32', [2]]], 8],
    [[['a', ['i4', [2]], [3]]], [['a', 'int32', [3, 2]]], 24],
    [[[['title', 'a'], 'u1']], [[['title', 'a'], 'uint8']], 1],
    [[['a', [['b', 'U2']]]], [['a', [['b', 'U2']]]], 8],
    [
      [
        ['a', 'i1'],
        ['', 'V3'],
        ['b', 'i4'],
      ],
      [
        ['a', 'int8'],
        ['', 'V3'],
        ['b', 'int32'],
      ],
      8,
    ],
    [
      { names: ['a', 'b'], formats: ['i1', ['f8', 2]] },
      [
        ['a', 'int8'],
        ['b', 'float64', [2]],
      ],
      17,
    ],
    [
      { names: ['a', 'b'], formats: ['i1', '<f8'], aligned: true },
      [
        ['a', 'int8'],
        ['', 'V7'],
        ['b', 'float64'],
      ],
      16,
    ],
    [
      { names: ['a', 'b'], formats: ['f8', 'i1'], aligned: true, titles: ['A', null] },
      [
        [['A', 'a'], 'float64'],
        ['b', 'int8'],
        ['', 'V7'],
      ],
      16,
    ],
    [
      { names: ['a', 'b'], formats: ['i1', 'i2'], offsets: [2, 4], itemsize: 9 },
      [
        ['', 'V2'],
        ['a', 'int8'],
        ['', 'V1'],
        ['b', 'int16'],
        ['', 'V3'],
      ],
      9,
    ],
    [
      {
        names: ['in', 'b'],
        formats: [{ names: ['x', 'y'], formats: ['i1', 'i4'], aligned: true }, 'i1'],
        aligned: true,
      },
      [
        [
          'in',
          [
            ['x', 'int8'],
            ['', 'V3'],
            ['y', 'int32'],
          ],
        ],
        ['b', 'int8'],
        ['', 'V3'],
      ],
      12,
    ],
  ]
  for (const [form, dtype, itemBytes] of forms) {
    t.deepEqual(checkDType(form as never) as unknown, dtype)
    t.is(dtypeInfo(form as DType).itemBytes, itemBytes)
  }
})

test('what describes no record is refused', t => {
  const loop: unknown[] = []
  loop.push(['a', loop])
  const bad: [unknown, RegExp][] = [
    [[], /no bytes/],
    [[['', 'V4']], /no bytes/],
    [[['a']], /\[name, dtype\]/],
    [[['a', 'i4', [1], 2]], /\[name, dtype\]/],
    [['a', 'i4'], /\[name, dtype\]/],
    [[['a', 'x9']], /no such type/],
    [[['a', 'O']], /Python objects/],
    [[['', 'i4']], /needs a name/],
    [
      [
        ['a', 'i4'],
        ['a', 'i4'],
      ],
      /two fields have the name 'a'/,
    ],
    [
      [
        ['a', 'i4'],
        [['a', 'b'], 'i4'],
      ],
      /two fields have the name 'a'/,
    ],
    [[[1, 'i4']], /name of a field/],
    [[['a', 'i4', [-1]]], /field 'a'.*no shape/],
    [[['a', 'i4', 1.5]], /no shape/],
    [[['a', 'S2147483647', 2]], /2\^31/],
    [[['a', 'f8', [2 ** 40, 2 ** 40]]], /2\^53/],
    [[['a', 'f8', [2 ** 40, 0]]], /a field of no elements has no bytes/],
    [{ names: ['a'] }, /no type string/],
    [{ names: ['a'], formats: ['i4'], other: 1 }, /no type string/],
    [{ names: ['a'], formats: [] }, /one length/],
    [{ names: ['a', 'b'], formats: ['i4', 'i4'], offsets: [4, 0] }, /overlap or are out of order/],
    [{ names: ['a', 'b'], formats: ['i4', 'i4'], offsets: [0, 2] }, /overlap/],
    [{ names: ['a'], formats: ['i4'], offsets: [-1] }, /offset/],
    [{ names: ['a'], formats: ['i4'], itemsize: 3 }, /itemsize/],
    [{ names: ['a'], formats: ['i4'], offsets: [2], aligned: true }, /not aligned/],
    [{ names: ['a'], formats: ['i4'], aligned: 1 }, /aligned/],
    [loop, /inside each other/],
  ]
  for (const [form, reason] of bad) refuses(t, reason, () => checkDType(form as never))
  refuses(t, /big-endian/, () => checkDType([['a', '>i4']] as never), 'ERR_UNSUPPORTED')
  refuses(
    t,
    /in the field 'a' it is 4 raw bytes/,
    () => checkDType([['a', 'V4']] as never),
    'ERR_UNSUPPORTED',
  )
})

test('records are objects of their fields', t => {
  const trades = fresh(trade)
  const value = { id: 7n, px: [1, 2.5, -3], sym: Buffer.from('AAPL') }
  trades.set(1, { id: 7, px: Float64Array.of(1, 2.5, -3), sym: 'AAPL' })
  t.deepEqual(trades.get(1), value)
  t.deepEqual(trades.get(0), { id: 0n, px: [0, 0, 0], sym: Buffer.alloc(0) })
  t.is(String(trades), "[(0, [0, 0, 0], b'') (7, [1, 2.5, -3], b'AAPL')]")
  t.deepEqual((trades.toNested() as unknown[])[1], value)
  t.deepEqual(trades.fill(value).get(0), value)
  const id: bigint = trades.get(0).id
  const prices: number[] = trades.get(0).px
  t.deepEqual([id, prices.length], [7n, 3])
})

test('a record that is refused changes nothing', t => {
  const trades = fresh(trade).fill({ id: 1, px: [1, 1, 1], sym: 'x' })
  const before = trades.toNested()
  const bad: [unknown, RegExp][] = [
    [null, /an object with the fields id, px, sym/],
    [[1, [1, 2, 3], 'x'], /an object with the fields/],
    [{ id: 2, px: [1, 2, 3] }, /the field 'sym' is missing/],
    [{ id: 2, px: [1, 2, 3], sym: 'x', price: 1 }, /no field 'price'/],
    [{ id: 2, px: [1, 2], sym: 'x' }, /field 'px': expected an array of length 3/],
    [{ id: 2, px: 1, sym: 'x' }, /field 'px': expected an array of length 3/],
    [{ id: 2, px: [1, 2, '3'], sym: 'x' }, /field 'px': expected a number/],
    [{ id: 2, px: [1, 2, 3], sym: '123456789' }, /field 'sym': .*9 bytes, too many for S8/],
  ]
  for (const [value, reason] of bad) refuses(t, reason, () => trades.set(0, value as never))
  t.deepEqual(trades.toNested(), before)
})

test('names that all objects have are names like any other', t => {
  const odd = fresh([
    ['__proto__', 'int32'],
    ['toString', 'int32'],
  ] as DType) as NDView
  const value = JSON.parse('{"__proto__": 1, "toString": 2}')
  odd.set(0, value)
  t.deepEqual(odd.get(0), value)
  t.is(Object.getPrototypeOf(odd.get(0)), Object.prototype)
  refuses(t, /field '__proto__'/, () => odd.set(0, { toString: 1 } as never))
})

test('a field is a view of the same memory, as a typed array where it is aligned', t => {
  const trades = fresh(trade, [2, 2])
  const prices = trades.field('px')
  t.deepEqual(
    [prices.dtype, prices.shape, prices.strides, prices.isAligned],
    ['float64', [2, 2, 3], [10, 5, 1], true],
  )
  t.is(prices.data.buffer, trades.data.buffer)
  prices.set(1, 0, 2, 4.5)
  t.is(trades.get(1, 0).px[2], 4.5)
  prices.subarray(0).fill(1)
  t.deepEqual(trades.get(0, 1).px, [1, 1, 1])
  t.deepEqual(trades.field('sym').strides, [10, 5])
  t.is(trades.subarray(1).field('id').set(1, 9n).get(1), 9n)
  t.is(trades.get(1, 1).id, 9n)
  refuses(t, /no field 'price'; their fields are id, px, sym/, () => trades.field('price' as never))
  refuses(t, /float64, which has no fields/, () => prices.field('x' as never))
  const nested = fresh([
    [
      'in',
      [
        ['x', 'i4'],
        ['y', 'i2', [2, 2]],
      ],
      [2],
    ],
  ] as never as DType) as NDView
  const deep = nested.field('in' as never).field('y' as never) as unknown as NDView<'int16'>
  t.deepEqual([deep.shape, deep.isAligned], [[2, 2, 2, 2], true])
  deep.set(1, 1, 1, 0, 8)
  t.deepEqual((nested.get(1) as never as { in: { y: number[][] }[] }).in[1]?.y, [
    [0, 0],
    [8, 0],
  ])
  const titled = fresh([[['long name', 'n'], 'i4']] as never as DType) as NDView
  t.is(
    titled
      .field('long name' as never)
      .set(0, 3 as never)
      .get(0) as unknown,
    3,
  )
  t.is(titled.field('n' as never).get(0) as unknown, 3)
})

test('a field that is not aligned is read and written all the same', t => {
  const dtype = checkDType([
    ['a', 'i1'],
    ['b', 'f8'],
    ['c', 'c8', 2],
    ['d', 'U2'],
    ['e', 'M8[s]'],
    ['f', 'f2'],
  ])
  const view = fresh(dtype, [3])
  const b = view.field('b')
  t.false(b.isAligned)
  refuses(t, /no Float64Array.*multiples of 8/, () => b.data, 'ERR_UNSUPPORTED')
  t.deepEqual([b.dtype, b.shape, b.size, b.byteLength], ['float64', [3], 3, 24])
  b.set(1, 2.5).subarray([2]).fill(-1)
  view.field('c').set(1, 1, [3, 4])
  view.field('d').fill('é')
  view.field('e').set(0, new Date(5000))
  view.field('f').fill(1.5)
  t.deepEqual(view.get(1), {
    a: 0,
    b: 2.5,
    c: [
      [0, 0],
      [3, 4],
    ],
    d: 'é',
    e: 0n,
    f: 1.5,
  })
  t.deepEqual(b.toNested(), [0, 2.5, -1])
  t.is(String(b), '[  0 2.5  -1]')
  t.deepEqual(view.field('e').toNested(), [5n, 0n, 0n])
  refuses(t, /expected a number/, () => b.set(0, 'x' as never))
  t.deepEqual(b, new NDView({ data: Float64Array.of(0, 2.5, -1), dtype: 'float64', shape: [3] }) as never)
  t.notDeepEqual(b, new NDView({ data: Float64Array.of(0, 2.5, 1), dtype: 'float64', shape: [3] }) as never)
  t.is(b.subarray(1).get(), 2.5)
  t.is(fresh(dtype, [0]).field('b').size, 0)
  const none = fresh(dtype, [0, 2]).field('c')
  t.deepEqual([none.toNested(), none.shape, none.isAligned, none.data.length], [[], [0, 2, 2], true, 0])
})

test('records are equal if their fields are, whatever lies in their gaps', t => {
  const dtype = checkDType({ names: ['a', 'b'], formats: ['i1', 'i4'], aligned: true })
  const [one, two] = [fresh(dtype), fresh(dtype)]
  two.data[1] = 9
  t.deepEqual(one, two)
  two.field('b').set(1, 1)
  t.notDeepEqual(one, two)
  two.set(0, { a: 5, b: 6 })
  t.is(two.data[1], 9, 'gaps stay as they are')
})

test('a dtype that is given says what raw bytes are, and changes nothing else', t => {
  const found = readDType([
    ['x', 'V2'],
    ['y', 'i4', [2]],
    ['', 'V2'],
  ]).info
  const given = [
    ['x', 'bfloat16'],
    ['y', 'i4', [2]],
    ['', 'V2'],
  ] as never
  t.deepEqual(dtypeAs(found, given).name as unknown, [
    ['x', 'bfloat16'],
    ['y', 'int32', [2]],
    ['', 'V2'],
  ])
  t.is(dtypeAs(found, undefined), found)
  const others = [
    [
      ['x', 'V2'],
      ['y', 'i4', [2]],
    ],
    [
      ['x', 'bfloat16'],
      ['y', 'u4', [2]],
      ['', 'V2'],
    ],
    [
      ['x', 'bfloat16'],
      ['y', 'i4', [1, 2]],
      ['', 'V2'],
    ],
    [
      ['z', 'bfloat16'],
      ['y', 'i4', [2]],
      ['', 'V2'],
    ],
    [
      ['x', 'f8'],
      ['y', 'i2', [2]],
    ],
    'S12',
  ]
  for (const other of others) t.throws(() => dtypeAs(found, other), { instanceOf: CrossmemError })
})

test('random records come back from their bytes, wherever the fields lie', t => {
  const below = random(11)
  const formats = ['i1', 'u2', 'i4', 'u8', 'f4', 'f8', 'b1', 'S3', 'U2'] as const
  const values = [-1, 65535, -5, 7n, 0.5, -2.25, true, Buffer.from('ab'), 'xy']
  for (let round = 0; round < 300; round++) {
    const picks = Array.from({ length: 1 + below(6) }, () => below(formats.length))
    const names = picks.map((_, i) => `f${i}`)
    const dtype = { names, formats: picks.map(i => formats[i]), aligned: below(2) === 0 }
    const view = fresh(checkDType(dtype as never) as DType, [2, 2]) as NDView
    const record = Object.fromEntries(names.map((name, i) => [name, values[picks[i] as number]]))
    view.set(1, 0, record as never)
    t.deepEqual(view.get(1, 0), record as never)
    for (const name of names) {
      t.deepEqual(view.field(name as never).get(1, 0) as unknown, record[name])
      view.field(name as never).set(0, 1, record[name] as never)
    }
    t.deepEqual(view.get(0, 1), record as never)
    t.deepEqual(view.get(0, 0), fresh(checkDType(dtype as never) as DType).get(0))
  }
})
