import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { flattenNested, type Nested } from '../../src/nd/nested.js'
import { numericDTypes } from '../../src/nd/numbers.js'
import type { NumericDType } from '../../src/nd/types.js'
import { NDView } from '../../src/nd/view.js'

const refuses = (t: ExecutionContext, message: RegExp, run: () => unknown, code = 'ERR_INVALID_ARG') =>
  t.throws(run, { instanceOf: CrossmemError, code, message })

test('the dtype follows the scalars', t => {
  t.deepEqual(flattenNested([1, 2]), { data: new Float64Array([1, 2]), shape: [2], dtype: 'float64' })
  t.deepEqual(flattenNested([1n, 2n]), { data: new BigInt64Array([1n, 2n]), shape: [2], dtype: 'int64' })
  t.deepEqual(flattenNested([true, false]), { data: new Uint8Array([1, 0]), shape: [2], dtype: 'bool' })
  t.deepEqual(flattenNested([]), { data: new Float64Array(0), shape: [0], dtype: 'float64' })
  t.is(flattenNested([1], 'float32').data.constructor, Float32Array)
})

test('both orders', t => {
  const nested = [
    [1, 2, 3],
    [4, 5, 6],
  ]
  t.deepEqual([...flattenNested(nested, 'int8').data], [1, 2, 3, 4, 5, 6])
  t.deepEqual([...flattenNested(nested, 'int8', 'F').data], [1, 4, 2, 5, 3, 6])
  t.deepEqual(flattenNested(nested, 'int8', 'F').shape, [2, 3])
})

test('scalars and empty arrays', t => {
  t.deepEqual(flattenNested(5), { data: new Float64Array([5]), shape: [], dtype: 'float64' })
  t.deepEqual(flattenNested(true).dtype, 'bool')
  t.deepEqual(flattenNested([[], []]).shape, [2, 0])
  t.deepEqual(flattenNested([[[]]], 'uint8').shape, [1, 1, 0])
  t.is(flattenNested([[[]]], 'uint8').data.length, 0)
})

test('complex: the innermost pairs are the scalars', t => {
  t.deepEqual(
    flattenNested(
      [
        [1, 2],
        [3, 4],
      ],
      'complex64',
    ),
    { data: new Float32Array([1, 2, 3, 4]), shape: [2], dtype: 'complex64' },
  )
  t.deepEqual(flattenNested([1, 2], 'complex128').shape, [])
  t.deepEqual(flattenNested(7, 'complex128'), {
    data: new Float64Array([7, 0]),
    shape: [],
    dtype: 'complex128',
  })
  t.deepEqual(flattenNested([[[1, 2]], [[3, 4]]], 'complex64', 'F').shape, [2, 1])
  t.deepEqual(flattenNested([[], []], 'complex64').shape, [2, 0])
  refuses(t, /^at \[1\]: expected a number or \[re, im\], got \[ 3, 4, 5 \]/, () =>
    flattenNested(
      [
        [1, 2],
        [3, 4, 5],
      ],
      'complex64',
    ),
  )
  refuses(t, /^expected a number or \[re, im\]/, () => flattenNested([1, 2, 3], 'complex64'))
  refuses(t, /^at \[0\]\[0\]: ragged|^at \[1\]: ragged/, () => flattenNested([[[1, 2]], [3, 4]], 'complex64'))
})

test('whatever a view shows as nested arrays comes back from them', t => {
  for (const dtype of Object.keys(numericDTypes) as NumericDType[]) {
    for (const order of ['C', 'F'] as const) {
      for (const shape of [[], [3], [2, 3], [2, 1, 3], [1, 2, 1, 2], [2, 0]]) {
        const { Storage, lanes } = numericDTypes[dtype]
        const size = shape.reduce((a, b) => a * b, 1)
        const view = new NDView<NumericDType>({ data: new Storage(size * lanes), dtype, shape, order }).fill(
          1 as never,
        )
        if (size > 0) view.set(...shape.map(() => 0), 0)
        const flat = flattenNested(view.toNested() as Nested, dtype, order)
        t.deepEqual(flat, { data: view.data, shape, dtype })
      }
    }
  }
})

test('ragged arrays are refused by path', t => {
  refuses(t, /^at \[1\]: ragged: an array of length 2 expected.*got \[ 3 \]/, () =>
    flattenNested([[1, 2], [3]]),
  )
  refuses(t, /^at \[1\]\[0\]: ragged/, () =>
    flattenNested([
      [[1], [2]],
      [[1, 2], [2]],
    ]),
  )
  refuses(t, /^at \[1\]: ragged.*got 2/, () => flattenNested([[1], 2]))
  refuses(t, /^at \[1\]: .*got \[ 2 \]|^at \[1\]: .*object/, () => flattenNested([1, [2]]))
  refuses(t, /^at \[1\]: ragged/, () => flattenNested([[], [1]]))
  refuses(t, /^at \[1\]: ragged/, () => flattenNested([[1], []]))
})

test('scalars of two kinds are refused, unless a dtype says how to read them', t => {
  refuses(t, /^at \[1\]: 2n is a bigint among values of type number/, () => flattenNested([1, 2n]))
  refuses(t, /^at \[1\]: 2 is a number/, () => flattenNested([1n, 2]))
  refuses(t, /^at \[0\]\[1\]: 1 is a number/, () => flattenNested([[true, 1]]))
  t.deepEqual([...flattenNested([1n, 2], 'int64').data], [1n, 2n])
  t.deepEqual([...flattenNested([true, 0], 'bool').data], [1, 0])
  refuses(t, /^at \[1\]: expected a number, got 2n/, () => flattenNested([1, 2n], 'float32'))
  refuses(t, /^at \[0\]: expected a bigint or a safe integer, got 1.5/, () => flattenNested([1.5], 'int64'))
})

test('a value that is no scalar is refused', t => {
  const bad: unknown[] = [null, {}, Symbol('s'), () => 1, new Float64Array(2), new Map()]
  for (const value of bad) {
    refuses(t, /expected|no scalar/, () => flattenNested(value as Nested))
    refuses(t, /expected/, () => flattenNested([value] as Nested))
    refuses(t, /^at \[0\]: expected a number/, () => flattenNested([value] as Nested, 'int8'))
  }
  refuses(t, /expected a number, got undefined/, () => flattenNested(undefined as unknown as Nested))
  refuses(t, /^at \[0\]: expected a number, got undefined/, () => flattenNested(new Array(3)))
  refuses(t, /^at \[1\]: .*undefined/, () => flattenNested(Object.assign(new Array(3), [1])))
})

test('arrays that hold themselves, or only pretend to be finite, are refused', t => {
  const loop: unknown[] = []
  loop.push(loop)
  refuses(t, /holds itself/, () => flattenNested(loop as unknown as Nested))
  refuses(t, /holds itself/, () => flattenNested(loop as unknown as Nested, 'complex64'))
  const late: unknown[] = [1]
  late.push(late)
  refuses(t, /^at \[1\]/, () => flattenNested(late as Nested))
  const lateRow: unknown[] = [[1, 2]]
  lateRow.push(lateRow)
  refuses(t, /^at \[1\]\[0\]/, () => flattenNested(lateRow as Nested))

  const deep = (levels: number, inner: Nested): Nested => (levels === 0 ? inner : [deep(levels - 1, inner)])
  t.is(flattenNested(deep(64, 1)).shape.length, 64)
  refuses(t, /more than 64/, () => flattenNested(deep(65, 1)))

  // A few arrays that share their parts stand for 2^60 elements.
  const double = (levels: number): Nested => {
    let value: Nested = 1
    for (let i = 0; i < levels; i++) value = [value, value]
    return value
  }
  refuses(t, /2\^53/, () => flattenNested(double(60)))
  refuses(t, /no memory/, () => flattenNested(double(48)), 'ERR_TOO_LARGE')
})

test('the given arrays stay as they are', t => {
  const nested = Object.freeze([Object.freeze([1, 2]), Object.freeze([3, 4])])
  t.deepEqual([...flattenNested(nested).data], [1, 2, 3, 4])
})
