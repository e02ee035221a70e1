import {
  type Columns,
  type Counts,
  count,
  hourOf,
  kindsOfCounts,
  type Limits,
  noCounts,
  percentile,
  percents,
  rankOf,
} from './analyse.js'

/**
 * Counts `flights` in this process and compares: all counts cell by cell, and the percentiles with
 * those of the sorted delays. Returns one sentence per difference.
 */
export function differences(flights: Columns, limits: Limits, counts: Counts): string[] {
  const expected = noCounts(limits)
  count(flights, 0, flights.date.length, limits, expected)
  return [
    ...kindsOfCounts.flatMap(kind => differentCounts(kind, expected[kind], counts[kind])),
    ...differentPercentiles(flights, limits, counts),
  ]
}

function differentCounts(kind: string, expected: Int32Array, found: Int32Array): string[] {
  const cell = expected.findIndex((flights, i) => flights !== found[i])
  if (cell < 0) return []
  return [`${kind} has ${found[cell]} flights in cell ${cell}, where one process counts ${expected[cell]}`]
}

function differentPercentiles(flights: Columns, limits: Limits, counts: Counts): string[] {
  return sortedDelays(flights).flatMap((delays, hour) =>
    percents.flatMap(percent => {
      const rank = rankOf(delays.length, percent)
      const expected = rank === 0 ? Number.NaN : delays[rank - 1]
      const found = percentile(hourOf(counts, limits, hour), limits.lowest, percent)
      if (Object.is(expected, found)) return []
      return [`p${percent} of hour ${hour} is ${found}, where sorting gives ${expected}`]
    }),
  )
}

/** The delays of each hour of departure, the shortest first. */
function sortedDelays({ date, delay }: Columns): Int32Array[] {
  const byHour = Array.from({ length: 24 }, () => [] as number[])
  date.forEach((minute, row) => {
    byHour[Math.floor(minute / 60) % 24]?.push(delay[row] as number)
  })
  return byHour.map(delays => Int32Array.from(delays).sort())
}
