import { type DTypeInfo, defineDType, refuse } from './dtype-info.js'
import { printScalar } from './print.js'
import type { SmallFloatDType } from './types.js'

/**
 * What becomes of values that are too large, of NaN, and of the sign of zero:
 *
 * - `ieee`: IEEE 754. Infinities, and NaNs beside them.
 * - `fn`: no infinities. The largest bit pattern is NaN, and so is what is too large.
 * - `fnuz`: no infinities and no -0, whose bit pattern is the only NaN.
 * - `finite`: no infinities and no NaN. What is too large becomes the largest number.
 * - `scale`: powers of two without a sign. The largest bit pattern is NaN, and so is what is 0,
 *   negative or too large.
 */
type Kind = 'ieee' | 'fn' | 'fnuz' | 'finite' | 'scale'

interface Format {
  kind: Kind
  exponentBits: number
  mantissaBits: number
  bias: number
}

const format = (kind: Kind, exponentBits: number, mantissaBits: number, bias: number): Format => ({
  kind,
  exponentBits,
  mantissaBits,
  bias,
})

// Sources. float8_e4m3fn (there E4M3) and float8_e5m2: the OCP 8-bit Floating Point Specification,
// revision 1.0. float8_e8m0fnu, float6 and float4: the OCP Microscaling Formats Specification,
// version 1.0. fnuz: https://arxiv.org/abs/2206.02915. The others, and what no specification says
// of conversions: ml_dtypes, https://github.com/jax-ml/ml_dtypes#readme.
const formats: Record<SmallFloatDType, Format> = {
  bfloat16: format('ieee', 8, 7, 127),
  float8_e3m4: format('ieee', 3, 4, 3),
  float8_e4m3: format('ieee', 4, 3, 7),
  float8_e4m3b11fnuz: format('fnuz', 4, 3, 11),
  float8_e4m3fn: format('fn', 4, 3, 7),
  float8_e4m3fnuz: format('fnuz', 4, 3, 8),
  float8_e5m2: format('ieee', 5, 2, 15),
  float8_e5m2fnuz: format('fnuz', 5, 2, 16),
  float8_e8m0fnu: format('scale', 8, 0, 127),
  float6_e2m3fn: format('finite', 2, 3, 1),
  float6_e3m2fn: format('finite', 3, 2, 3),
  float4_e2m1fn: format('finite', 2, 1, 1),
}

const bitsOfDouble = new DataView(new ArrayBuffer(8))

/** The exponent of a positive number: it is at least 2 to that power, and less than twice that. */
function exponentOf(magnitude: number): number {
  bitsOfDouble.setFloat64(0, magnitude)
  return ((bitsOfDouble.getUint16(0) >> 4) & 0x7ff) - 1023
}

/** Rounds to the nearest integer; of two that are equally near, to the even one. */
function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** Bits to numbers and back. */
class SmallFloat {
  readonly #format: Format
  readonly #sign: number
  /** How many numbers there are from each power of two to the next. */
  readonly #ones: number
  /** The largest bit pattern without a sign. */
  readonly #top: number
  readonly #nan: number
  /** What a number is multiplied by to count its last places, by its exponent. */
  readonly #scales: Float64Array

  constructor(format: Format) {
    const { kind, exponentBits, mantissaBits, bias } = format
    this.#format = format
    this.#sign = kind === 'scale' ? 0 : 2 ** (exponentBits + mantissaBits)
    this.#ones = 2 ** mantissaBits
    this.#top = 2 ** (exponentBits + mantissaBits) - 1
    const infinity = this.#top - (this.#ones - 1)
    this.#nan = kind === 'fnuz' ? this.#sign : kind === 'ieee' ? infinity + this.#ones / 2 : this.#top
    const exponents = 2 ** exponentBits + 1
    this.#scales = Float64Array.from({ length: exponents }, (_, i) => 2 ** (mantissaBits + bias - i))
  }

  decode(bits: number): number {
    const { kind, mantissaBits, bias } = this.#format
    const magnitude = bits & this.#top
    if (kind === 'scale') return bits === this.#nan ? Number.NaN : 2 ** (bits - bias)
    if (kind === 'fnuz' && bits === this.#nan) return Number.NaN
    if (kind === 'fn' && magnitude === this.#nan) return Number.NaN
    const sign = bits & this.#sign ? -1 : 1
    const ones = this.#ones
    const exponent = Math.floor(magnitude / ones)
    const mantissa = magnitude % ones
    if (kind === 'ieee' && magnitude + ones > this.#top)
      return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    const value =
      exponent === 0
        ? mantissa * 2 ** (1 - bias - mantissaBits)
        : (1 + mantissa / ones) * 2 ** (exponent - bias)
    return sign * value
  }

  /** The bits of the nearest number, rounded once. */
  encode(value: number): number {
    const { kind } = this.#format
    if (Number.isNaN(value)) return this.#nan
    if (kind === 'scale') return this.#encodeScale(value)
    const magnitude = this.#round(Math.abs(value))
    const isNegative = value < 0 || Object.is(value, -0)
    if (kind === 'fnuz' && (magnitude === 0 || magnitude === this.#nan)) return magnitude
    return isNegative ? this.#sign + magnitude : magnitude
  }

  /** The bits of a number that isn't negative. */
  #round(value: number): number {
    const { kind, bias } = this.#format
    const ones = this.#ones
    // Numbers below the smallest power of two have the last place of those above it.
    const exponent = Math.max(exponentOf(value) + bias, 1)
    const scale = this.#scales[exponent]
    // A number that is rounded up to the next power of two has the bits of that power.
    const bits =
      scale === undefined ? Number.POSITIVE_INFINITY : (exponent - 1) * ones + roundToEven(value * scale)
    switch (kind) {
      case 'ieee':
        return Math.min(bits, this.#top - (ones - 1))
      case 'finite':
        return Math.min(bits, this.#top)
      default:
        return bits <= (kind === 'fn' ? this.#top - 1 : this.#top) ? bits : this.#nan
    }
  }

  /** Half-way between two powers of two the greater one is taken, as ml_dtypes does. */
  #encodeScale(value: number): number {
    const exponent = Math.max(exponentOf(value) + this.#format.bias, 0)
    const scale = this.#scales[exponent]
    if (!(value > 0) || scale === undefined) return this.#nan
    const bits = exponent - 1 + Math.floor(value * scale + 0.5)
    return Math.min(Math.max(bits, 0), this.#nan)
  }
}

type Bits = { [slot: number]: number }

// The bits of a bfloat16 are the upper half of a float32's.
const float32 = new Float32Array(1)
const bitsOfFloat32 = new Uint32Array(float32.buffer)

function readBfloat16(data: Bits, at: number): number {
  bitsOfFloat32[0] = (data[at] as number) << 16
  return float32[0] as number
}

function define(name: SmallFloatDType): DTypeInfo {
  const format = formats[name]
  const float = new SmallFloat(format)
  const bytes = name === 'bfloat16' ? 2 : 1
  // All numbers of a byte; a bit of the byte that the format doesn't have is left out.
  const all = bytes === 1 ? Float64Array.from({ length: 256 }, (_, bits) => float.decode(bits)) : undefined
  return defineDType({
    name,
    // NumPy writes raw bytes for all of them but float8_e5m2, whose '<f1' it doesn't read again.
    descr: bytes === 2 ? '<V2' : '|V1',
    Storage: (bytes === 2 ? Uint16Array : Uint8Array) as never,
    read: all ? (data: Bits, at: number) => all[data[at] as number] : readBfloat16,
    write(data: Bits, at: number, value: unknown) {
      if (typeof value !== 'number') throw refuse('a number', value)
      if (format.kind === 'finite' && Number.isNaN(value)) throw refuse(`a number that ${name} has`, value)
      data[at] = float.encode(value)
    },
    print: (value: number) => printScalar(value, 4),
  })
}

const made = new Map<SmallFloatDType, DTypeInfo>()

/** The dtype of a name, if it is one of ml_dtypes' formats. */
export function smallFloat(name: string): DTypeInfo | undefined {
  if (!Object.hasOwn(formats, name)) return undefined
  const known = name as SmallFloatDType
  const info = made.get(known) ?? define(known)
  made.set(known, info)
  return info
}

/** The names of all of them. */
export const smallFloatDTypes = Object.keys(formats) as SmallFloatDType[]
