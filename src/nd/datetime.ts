import { types } from 'node:util'
import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import { type DTypeInfo, defineDType, refuse } from './dtype-info.js'
import type { DatetimeDType, TimeUnit } from './types.js'

/** NumPy's «not a time»: the least number that an element can hold. */
export const NaT: bigint = -(2n ** 63n)

const LEAST = NaT
const MOST = 2n ** 63n - 1n
/** NumPy counts units in an `int`. */
const MOST_UNITS = 2n ** 31n - 1n
/** The milliseconds from 1970 that a Date can have. */
const MOST_DATE = 8_640_000_000_000_000n

/** Milliseconds, in `per` of which there are `units`. */
const milliseconds: Record<Exclude<TimeUnit, 'Y' | 'M'>, { per: bigint; units: bigint }> = {
  W: { per: 604_800_000n, units: 1n },
  D: { per: 86_400_000n, units: 1n },
  h: { per: 3_600_000n, units: 1n },
  m: { per: 60_000n, units: 1n },
  s: { per: 1000n, units: 1n },
  ms: { per: 1n, units: 1n },
  us: { per: 1n, units: 1000n },
  ns: { per: 1n, units: 10n ** 6n },
  ps: { per: 1n, units: 10n ** 9n },
  fs: { per: 1n, units: 10n ** 12n },
  as: { per: 1n, units: 10n ** 15n },
}
const months = { Y: 12n, M: 1n }

/** How many characters of an ISO date and time NumPy prints. */
const printed: Record<string, number> = { Y: 4, M: 7, W: 10, D: 10, h: 13, m: 16, s: 19, ms: 23 }
const digits: Record<string, number> = { us: 3, ns: 6, ps: 9, fs: 12, as: 15 }

/** The unit of a dtype of time, `25s` as 25 of `s`; `undefined` is NumPy's generic unit. */
interface Resolution {
  count: bigint
  unit: TimeUnit | undefined
}

const spelledUnit = /^(?:\s*\+?0*(\d+))?(Y|M|W|D|h|m|s|ms|us|μs|ns|ps|fs|as|generic)$/

/** Reads what stands in the brackets of `M8[25s]`. */
function parseResolution(text: string | undefined): Resolution | undefined {
  if (text === undefined) return { count: 1n, unit: undefined }
  const [, count, unit] = spelledUnit.exec(text) ?? []
  if (unit === undefined) return undefined
  const units = BigInt(count ?? 1)
  if (units < 1n || units > MOST_UNITS) return undefined
  if (unit === 'generic') return { count: 1n, unit: undefined }
  return { count: units, unit: unit.replace('μ', 'u') as TimeUnit }
}

/**
 * The dtype of moments or of spans of time.
 *
 * @param unit such as `ns` or `25s`; `undefined` for NumPy's generic unit
 * @returns `undefined` if there is no such unit
 */
export function timeDType(
  kind: 'datetime64' | 'timedelta64',
  unit: string | undefined,
): DTypeInfo | undefined {
  const resolution = parseResolution(unit)
  if (!resolution) return undefined
  const brackets =
    resolution.unit === undefined
      ? ''
      : `[${resolution.count === 1n ? '' : resolution.count}${resolution.unit}]`
  const isMoment = kind === 'datetime64'
  return defineDType({
    name: `${kind}${brackets}` as DatetimeDType,
    descr: `<${isMoment ? 'M8' : 'm8'}${brackets}`,
    Storage: BigInt64Array as never,
    read: (data: BigInt64Array, at: number) => data[at],
    write(data: BigInt64Array, at: number, value: unknown) {
      data[at] = isMoment && types.isDate(value) ? countOf(value, resolution) : checkCount(value, isMoment)
    },
    print: (count: bigint) => (isMoment ? `'${printMoment(count, resolution)}'` : printSpan(count)),
  })
}

function checkCount(value: unknown, isMoment: boolean): bigint {
  const count = Number.isSafeInteger(value) ? BigInt(value as number) : value
  if (typeof count === 'bigint' && count >= LEAST && count <= MOST) return count
  throw refuse(`a bigint of 64 bits, a safe integer${isMoment ? ' or a Date' : ''}`, value)
}

/** A Date in units, rounded down. */
function countOf(date: Date, { count, unit }: Resolution): bigint {
  const time = Date.prototype.getTime.call(date)
  if (Number.isNaN(time)) return NaT
  if (unit === undefined)
    throw refuse('a bigint or a safe integer, since the dtype has no unit to count a Date in', date)
  const units = isCalendar(unit)
    ? floorDivide(monthsOf(new Date(time)), months[unit])
    : floorDivide(BigInt(time) * milliseconds[unit].units, milliseconds[unit].per)
  const found = floorDivide(units, count)
  if (found > LEAST && found <= MOST) return found
  throw refuse(`a Date that 64 bits of ${count === 1n ? '' : count}${unit} reach`, date)
}

const isCalendar = (unit: TimeUnit): unit is keyof typeof months => unit === 'Y' || unit === 'M'

const monthsOf = (date: Date): bigint => BigInt((date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth())

function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

/** A number of units as a Date, rounded down to its millisecond; `undefined` if no Date reaches. */
function dateOf(moment: bigint, { count, unit }: Resolution & { unit: TimeUnit }): Date | undefined {
  const units = moment * count
  if (isCalendar(unit)) {
    const month = units * months[unit]
    if (month > MOST_DATE || month < -MOST_DATE) return undefined
    const date = new Date(0)
    date.setUTCFullYear(1970 + Number(floorDivide(month, 12n)), Number(month - 12n * floorDivide(month, 12n)))
    return Number.isNaN(date.getTime()) ? undefined : date
  }
  const { per, units: inThese } = milliseconds[unit]
  const time = floorDivide(units * per, inThese)
  return time > MOST_DATE || time < -MOST_DATE ? undefined : new Date(Number(time))
}

function printMoment(moment: bigint, { count, unit }: Resolution): string {
  if (moment === NaT) return 'NaT'
  const date = unit && dateOf(moment, { count, unit })
  if (!unit || !date) return String(moment)
  const [iso] = date.toISOString().split('Z') as [string]
  const yearLength = iso.indexOf('-', 1)
  const cut = printed[unit]
  if (cut !== undefined) return iso.slice(0, cut - 4 + yearLength)
  const { units } = milliseconds[unit as 'us']
  const rest = (((moment * count) % units) + units) % units
  return iso + String(rest).padStart(digits[unit] as number, '0')
}

const printSpan = (span: bigint): string => (span === NaT ? "'NaT'" : String(span))

/**
 * A moment as a Date: what `get` of an array of `datetime64[unit]` returns. What is finer than a
 * millisecond is rounded down.
 *
 * @param moment a number of the dtype's units since 1970; {@link NaT} becomes an invalid Date
 * @param dtype the array's dtype
 * @throws {CrossmemError} ERR_INVALID_ARG: the dtype isn't `datetime64` with a unit, or `moment` is
 *   no bigint. ERR_OUT_OF_RANGE: the moment lies before or after all Dates
 *
 * @example
 * ```js
 * import { NDArray, toDate } from 'crossmem'
 *
 * const times = NDArray.from(null, [new Date('2024-05-01T12:00:00Z')], { dtype: 'datetime64[ns]' })
 * console.log(times.get(0)) // 1714564800000000000n
 * console.log(toDate(times.get(0), times.dtype).toISOString()) // 2024-05-01T12:00:00.000Z
 * times.close()
 * ```
 */
export function toDate(moment: bigint, dtype: DatetimeDType): Date {
  const [, unit] = /^datetime64\[(.+)\]$/.exec(String(dtype)) ?? []
  const resolution = unit === undefined ? undefined : parseResolution(unit)
  if (resolution?.unit === undefined) throw refuse('the dtype datetime64 with a unit', dtype)
  if (typeof moment !== 'bigint') throw refuse('a bigint', moment)
  if (moment === NaT) return new Date(Number.NaN)
  const date = dateOf(moment, { ...resolution, unit: resolution.unit })
  if (date) return date
  throw new CrossmemError('ERR_OUT_OF_RANGE', `no Date reaches ${show(moment)} in ${dtype}`)
}
