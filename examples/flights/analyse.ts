import type { NDView } from 'crossmem'
import { columnNames } from './load.js'

/** A flight with at least this delay, in minutes, is late, by the Bureau's definition. */
export const LATE = 15
/** Width of a class of distances, in miles. The last class has no upper limit. */
export const DISTANCE_STEP = 500
export const DISTANCE_CLASSES = 10
/** Lower limits of the classes of delays, in minutes. The first class lies below all of them. */
export const delayEdges = [-15, 0, 15, 30, 60, 120, 240] as const

/** One typed array per column, all in the same memory. */
export type Columns = Record<(typeof columnNames)[number], Int32Array>

/** Figures of all flights, which must be known before a part of the flights can be counted. */
export interface Limits {
  /** Shortest and longest delay, in minutes. */
  lowest: number
  highest: number
  airports: number
}

/** Counts of flights. All are integers, so the sums of parts are exact, in any order. */
export interface Counts {
  /** [hour of departure, delay - lowest]: one bin per minute, so that percentiles are exact too. */
  byHour: Int32Array
  /** [class of distance, class of delay]. */
  byDistance: Int32Array
  /** [origin, destination, (all, late)]. */
  byRoute: Int32Array
}

export const kindsOfCounts = ['byHour', 'byDistance', 'byRoute'] as const

/** The number of different delays that are possible. */
const delaysIn = ({ lowest, highest }: Limits): number => highest - lowest + 1

export function shapesOf(limits: Limits): Record<keyof Counts, number[]> {
  const { airports } = limits
  return {
    byHour: [24, delaysIn(limits)],
    byDistance: [DISTANCE_CLASSES, delayEdges.length + 1],
    byRoute: [airports, airports, 2],
  }
}

/** The columns of an array of shape [columns, flights], shared or not. Nothing is copied. */
export function columnsOf(flights: NDView<'int32'>): Columns {
  const entries = columnNames.map((name, column) => [name, flights.subarray(column).data])
  return Object.fromEntries(entries) as Columns
}

export function limitsOf({ delay }: Columns, airports: number): Limits {
  let lowest = Number.POSITIVE_INFINITY
  let highest = Number.NEGATIVE_INFINITY
  for (const minutes of delay) {
    if (minutes < lowest) lowest = minutes
    if (minutes > highest) highest = minutes
  }
  return { lowest, highest, airports }
}

export function noCounts(limits: Limits): Counts {
  const shapes = shapesOf(limits)
  const zeros = (shape: number[]) => new Int32Array(shape.reduce((cells, length) => cells * length))
  return {
    byHour: zeros(shapes.byHour),
    byDistance: zeros(shapes.byDistance),
    byRoute: zeros(shapes.byRoute),
  }
}

/** Adds the flights of the rows [start, end) to `counts`. */
export function count(flights: Columns, start: number, end: number, limits: Limits, counts: Counts): void {
  const { date, delay, distance, origin, destination } = flights
  const { byHour, byDistance, byRoute } = counts
  const delays = delaysIn(limits)
  const add = (to: Int32Array, cell: number) => {
    to[cell] = (to[cell] as number) + 1
  }
  for (let row = start; row < end; row++) {
    const late = delay[row] as number
    const hour = Math.floor((date[row] as number) / 60) % 24
    add(byHour, hour * delays + late - limits.lowest)
    add(byDistance, distanceClass(distance[row] as number) * (delayEdges.length + 1) + delayClass(late))
    const route = ((origin[row] as number) * limits.airports + (destination[row] as number)) * 2
    add(byRoute, route)
    if (late >= LATE) add(byRoute, route + 1)
  }
}

/** Adds `part` to `total`. */
export function merge(total: Counts, part: Counts): void {
  for (const kind of kindsOfCounts) {
    const into = total[kind]
    part[kind].forEach((flights, cell) => {
      into[cell] = (into[cell] as number) + flights
    })
  }
}

export const distanceClass = (miles: number): number =>
  Math.min(Math.floor(miles / DISTANCE_STEP), DISTANCE_CLASSES - 1)

export function delayClass(minutes: number): number {
  let above = 0
  while (above < delayEdges.length && minutes >= (delayEdges[above] as number)) above++
  return above
}

/** The number of flights in a histogram. */
export const totalOf = (histogram: Int32Array): number => histogram.reduce((sum, flights) => sum + flights, 0)

/**
 * The smallest value that at least `percent` % of the flights don't exceed (nearest rank). The
 * histogram has one bin per integer, from `lowest` up. NaN if the histogram is empty.
 */
export function percentile(histogram: Int32Array, lowest: number, percent: number): number {
  const rank = rankOf(totalOf(histogram), percent)
  let seen = 0
  const bin = histogram.findIndex(flights => {
    seen += flights
    return seen >= rank
  })
  return rank === 0 || bin < 0 ? Number.NaN : lowest + bin
}

/** Which of `total` sorted values is the percentile, counted from 1; 0 if there are none. */
export const rankOf = (total: number, percent: number): number =>
  total === 0 ? 0 : Math.max(Math.ceil((total * percent) / 100), 1)

/** The percentiles that are shown for each hour. */
export const percents = [50, 90, 99] as const

/** One hour's row of `byHour`. */
export function hourOf({ byHour }: Counts, limits: Limits, hour: number): Int32Array {
  const delays = delaysIn(limits)
  return byHour.subarray(hour * delays, (hour + 1) * delays)
}
