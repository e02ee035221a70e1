import {
  type Counts,
  DISTANCE_CLASSES,
  DISTANCE_STEP,
  delayEdges,
  hourOf,
  LATE,
  type Limits,
  percentile,
  percents,
  totalOf,
} from './analyse.js'
import { type Handover, ROUNDS } from './handover.js'

/** Columns under their headings. The first column is text, the others are numbers. */
export function table(heads: string[], rows: string[][]): string {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map(row => (row[i] ?? '').length)))
  const lay = (cells: string[]) =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`
  return [lay(heads), lay(widths.map(width => '─'.repeat(width))), ...rows.map(lay)].join('\n')
}

const whole = (count: number): string => count.toLocaleString('en-US')
const share = (part: number, all: number): string =>
  all === 0 ? '–' : `${((100 * part) / all).toFixed(1)} %`

/** Percentiles of the delay by hour of departure. */
export function hoursTable(counts: Counts, limits: Limits): string {
  const rows = Array.from({ length: 24 }, (_, hour) => {
    const histogram = hourOf(counts, limits, hour)
    return [
      `${String(hour).padStart(2, '0')}:00`,
      whole(totalOf(histogram)),
      ...percents.map(percent => String(percentile(histogram, limits.lowest, percent))),
    ]
  })
  return table(['departure', 'flights', ...percents.map(percent => `p${percent}`)], rows)
}

/** The distribution of delays, by distance. */
export function distanceTable({ byDistance }: Counts): string {
  const classes = delayEdges.length + 1
  const rows = Array.from({ length: DISTANCE_CLASSES }, (_, i) => {
    const row = byDistance.subarray(i * classes, (i + 1) * classes)
    const all = totalOf(row)
    const miles =
      i === DISTANCE_CLASSES - 1
        ? `${i * DISTANCE_STEP}+`
        : `${i * DISTANCE_STEP}–${(i + 1) * DISTANCE_STEP - 1}`
    return [miles, whole(all), ...Array.from(row, flights => share(flights, all))]
  })
  const spans = delayEdges.map((edge, i) =>
    i === delayEdges.length - 1 ? `${edge}+` : `${edge}…${(delayEdges[i + 1] as number) - 1}`,
  )
  return table(['miles', 'flights', `<${delayEdges[0]} min`, ...spans], rows)
}

/** The routes with the most flights. */
export function routesTable({ byRoute }: Counts, airports: string[], limit: number): string {
  const routes = airports.flatMap((from, i) =>
    airports.map((to, j) => {
      const cell = (i * airports.length + j) * 2
      return { route: `${from} → ${to}`, flights: byRoute[cell] as number, late: byRoute[cell + 1] as number }
    }),
  )
  const busiest = routes.sort((a, b) => b.flights - a.flights).slice(0, limit)
  return table(
    ['route', 'flights', `${LATE}+ min late`],
    busiest.map(({ route, flights, late }) => [route, whole(flights), share(late, flights)]),
  )
}

/** How long handing the data over took. */
export function handoverTable(handovers: Handover[]): string {
  const ms = (time: number) => `${time.toFixed(2)} ms`
  return table(
    ['way', 'data', 'first time', `best of ${ROUNDS}`],
    handovers.map(({ way, bytes, first, best }) => [
      way,
      `${(bytes / 1e6).toFixed(1)} MB`,
      ms(first),
      ms(best),
    ]),
  )
}
