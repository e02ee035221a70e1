import type { NumericDType, Scalar } from 'crossmem'

/** Every dtype, with two of its values: the smallest or oddest there is, and a plain one. */
export const samples: Record<NumericDType, [Scalar, Scalar]> = {
  bool: [true, false],
  int8: [-128, 127],
  uint8: [255, 1],
  int16: [-32768, 232],
  uint16: [65535, 2],
  int32: [-(2 ** 31), 24234],
  uint32: [2 ** 32 - 1, 3],
  int64: [-(2n ** 63n), 2n ** 34n],
  uint64: [2n ** 64n - 1n, 2n ** 33n],
  float16: [0.5, -2],
  float32: [Number.NaN, 0.25],
  float64: [-4.25, Number.MIN_VALUE],
  complex64: [
    [1, -2],
    [0.5, 0],
  ],
  complex128: [
    [-0.1, 1e300],
    [3, 4],
  ],
}

/** JSON that knows bigint and NaN. */
export const toText = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    typeof v === 'bigint' || Number.isNaN(v) ? { [typeof v]: String(v) } : (v as unknown),
  )

/** The other way round. */
export const fromText = (text: string): unknown =>
  JSON.parse(text, (_, v) => {
    if (v?.bigint !== undefined) return BigInt(v.bigint)
    return v?.number === undefined ? v : Number(v.number)
  })
