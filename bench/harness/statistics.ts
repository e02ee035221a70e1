/** Half of the values are below `median`; the quartiles `low` and `high` have half between them. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** How many times as long one side takes as the other one. */
export interface Ratio {
  /** The median of the ratios of the pairs. */
  median: number
  /** The 95 % confidence interval of that median. Too few pairs have none. */
  interval?: Interval
}

export interface Interval {
  low: number
  high: number
}

/** A ratio is noisy if its interval is wider than this factor, or if it has none. */
export const NOISY = 1.25

export function isNoisy({ interval }: Ratio): boolean {
  return interval === undefined || interval.high > interval.low * NOISY
}

/**
 * The ratio of two series whose slices with the same index were measured right after each other. A
 * change of the machine's speed that lasts longer than a pair changes both of its sides, and leaves
 * their ratio as it is.
 */
export function ratioOf(series: readonly number[], base: readonly number[]): Ratio {
  const pairs = Math.min(series.length, base.length)
  const ratios = Array.from({ length: pairs }, (_, i) => (series[i] as number) / (base[i] as number))
  const interval = medianInterval(ratios)
  return { median: quantile(ratios, 0.5), ...(interval && { interval }) }
}

/**
 * A confidence interval of the median, from one of the sorted values to another. It supposes
 * nothing about how the values are distributed: as many of `n` values lie below the median as a
 * fair coin shows heads in `n` throws. Fewer than six values have no interval of 95 %.
 *
 * Source: H. A. David, H. N. Nagaraja, Order Statistics, third edition, Wiley 2003, section 7.1.
 */
export function medianInterval(values: readonly number[], confidence = 0.95): Interval | undefined {
  const n = values.length
  const outside = (1 - confidence) / 2
  // The chance that at most `skipped` values lie below the median.
  let chance = 2 ** -n
  let term = chance
  if (chance > outside) return undefined
  let skipped = 0
  for (;;) {
    term *= (n - skipped) / (skipped + 1)
    if (chance + term > outside) break
    chance += term
    skipped++
  }
  const sorted = values.toSorted((a, b) => a - b)
  return { low: sorted[skipped] as number, high: sorted[n - 1 - skipped] as number }
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: quantile(values, 0.5),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75),
})

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] as number
  const above = sorted[Math.ceil(at)] as number
  return below + (above - below) * (at - Math.floor(at))
}
