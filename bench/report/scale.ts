import type { Unit } from '../harness/format.js'

/** One axis of a plot. */
export interface Scale {
  ticks: number[]
  /** The position of a value, in pixels. */
  at(value: number): number
}

const SHARES = [0.01, 0.1, 0.5, 0.9, 0.99, 0.999]

/**
 * A logarithmic scale. Shares have a logit scale: 90 to 99 % takes about as much room as 99 to
 * 99.9 %, and so do 0.1 to 1 % and 1 to 10 %.
 */
export function scaleOf(unit: Unit, values: number[], from: number, to: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  if (unit === 'share') return scale(SHARES, least, most, share => Math.log(share / (1 - share)), from, to)
  if (unit === 'bytes' || unit === 'number') {
    const powers = range(Math.ceil(Math.log2(least)), Math.floor(Math.log2(most)), unit === 'bytes' ? 2 : 1)
    return scale(
      powers.map(power => 2 ** power),
      least,
      most,
      Math.log,
      from,
      to,
    )
  }
  const [first, last] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))]
  const decades = range(first, Math.max(last, first + 1), 1).map(power => 10 ** power)
  return scale(decades, decades[0] as number, decades[decades.length - 1] as number, Math.log, from, to)
}

function scale(
  ticks: number[],
  least: number,
  most: number,
  bent: (value: number) => number,
  from: number,
  to: number,
): Scale {
  const span = bent(most) - bent(least) || 1
  return { ticks, at: value => from + ((bent(value) - bent(least)) / span) * (to - from) }
}

const range = (first: number, last: number, step: number): number[] =>
  Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step)
