import test from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { dtypeInfo } from '../../src/nd/dtype.js'
import { smallFloatDTypes } from '../../src/nd/small-floats.js'
import type { SmallFloatDType } from '../../src/nd/types.js'
import { random } from '../helpers/random.js'

/** What a number becomes, as bits and as a number. */
function stored(dtype: SmallFloatDType, value: number): { bits: number; value: number } {
  const { Storage, read, write } = dtypeInfo(dtype)
  const data = new Storage(1)
  write(data, 0, value)
  return { bits: data[0] as number, value: read(data, 0) }
}

/** All numbers of a dtype, by their bits. */
function numbersOf(dtype: SmallFloatDType): Map<number, number> {
  const { Storage, read, itemBytes } = dtypeInfo(dtype)
  const size = dtype.startsWith('float4') ? 16 : dtype.startsWith('float6') ? 64 : 256 ** itemBytes
  const data = new Storage(1)
  return new Map(
    Array.from({ length: size }, (_, bits) => {
      data[0] = bits
      return [bits, read(data, 0)]
    }),
  )
}

test('limits and special values are those of the specifications', t => {
  // The largest number, the smallest above 0, the bits of 1, of NaN, of what is too large.
  const limits: Record<SmallFloatDType, [number, number, number, number | undefined, number]> = {
    bfloat16: [(2 - 2 ** -7) * 2 ** 127, 2 ** -133, 0x3f80, 0x7fc0, 0x7f80],
    float8_e3m4: [15.5, 2 ** -6, 0x30, 0x78, 0x70],
    float8_e4m3: [240, 2 ** -9, 0x38, 0x7c, 0x78],
    float8_e4m3b11fnuz: [30, 2 ** -13, 0x58, 0x80, 0x80],
    float8_e4m3fn: [448, 2 ** -9, 0x38, 0x7f, 0x7f],
    float8_e4m3fnuz: [240, 2 ** -10, 0x40, 0x80, 0x80],
    float8_e5m2: [57344, 2 ** -16, 0x3c, 0x7e, 0x7c],
    float8_e5m2fnuz: [57344, 2 ** -17, 0x40, 0x80, 0x80],
    float8_e8m0fnu: [2 ** 127, 2 ** -127, 0x7f, 0xff, 0xff],
    float6_e2m3fn: [7.5, 0.125, 0x08, undefined, 0x1f],
    float6_e3m2fn: [28, 0.0625, 0x0c, undefined, 0x1f],
    float4_e2m1fn: [6, 0.5, 0x02, undefined, 0x07],
  }
  for (const dtype of smallFloatDTypes) {
    const [largest, smallest, one, nan, tooLarge] = limits[dtype]
    const finite = [...numbersOf(dtype).values()].filter(Number.isFinite)
    t.is(Math.max(...finite), largest, dtype)
    t.is(Math.min(...finite.filter(value => value > 0)), smallest, dtype)
    t.is(stored(dtype, 1).bits, one, dtype)
    t.is(stored(dtype, Number.POSITIVE_INFINITY).bits, tooLarge, dtype)
    t.is(stored(dtype, 1e300).bits, tooLarge, dtype)
    if (nan === undefined)
      t.throws(() => stored(dtype, Number.NaN), { instanceOf: CrossmemError, message: /a number that float/ })
    else t.is(stored(dtype, Number.NaN).bits, nan, dtype)
    t.throws(() => stored(dtype, '1' as never), { code: 'ERR_INVALID_ARG', message: /expected a number/ })
  }
  t.is(stored('float8_e4m3fn', 464).value, 448, "half-way to what isn't there")
  t.is(stored('float8_e4m3fn', 464.1).value, Number.NaN)
  t.is(stored('bfloat16', -0).bits, 0x8000)
  t.is(stored('float8_e4m3fnuz', -0).bits, 0)
  t.is(stored('float8_e8m0fnu', 0).value, Number.NaN)
  t.is(stored('float8_e8m0fnu', -1).value, Number.NaN)
})

test('every number comes back as the bits that it had', t => {
  for (const dtype of smallFloatDTypes)
    for (const [bits, value] of numbersOf(dtype))
      if (!Number.isNaN(value) && stored(dtype, value).bits !== bits) t.fail(`${dtype} ${bits}: ${value}`)
  t.pass()
})

test('numbers are rounded to the nearest one, and half-way to the even one', t => {
  const below = random(8)
  for (const dtype of smallFloatDTypes.filter(name => name !== 'float8_e8m0fnu')) {
    const all = [...numbersOf(dtype)].filter(([, value]) => Number.isFinite(value) && !Object.is(value, -0))
    all.sort(([, a], [, b]) => a - b)
    for (let round = 0; round < 2000; round++) {
      const i = below(all.length - 1)
      const [low, high] = [all[i], all[i + 1]] as [[number, number], [number, number]]
      const middle = (low[1] + high[1]) / 2
      const even = low[0] % 2 === 0 ? low[1] : high[1]
      const step = Math.max(Math.abs(middle) * 2 ** -50, Number.MIN_VALUE)
      const found = [middle - step, middle, middle + step].map(value => stored(dtype, value).value + 0)
      t.deepEqual(
        found,
        [low[1], even, high[1]].map(value => value + 0),
        `${dtype} ${middle}`,
      )
    }
  }
})
