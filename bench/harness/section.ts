import type { Unit } from './format.js'
import type { Row } from './measure.js'
import { quantile, type Ratio, ratioOf } from './statistics.js'

/** One question, and what was measured to answer it. */
export interface Section {
  /** Name of its plot's file, without the extension. */
  id: string
  title: string
  /** What was done, in Markdown. */
  intro: string
  tables: Table[]
  /** Results that depend on a number, such as a size. Each is a plot of lines. */
  curves?: Curves[]
  targets: Target[]
  /** What peers do better, a line for each. */
  better: string[]
  /** Peers that this machine doesn't have, and why. */
  missing: string[]
}

/** Rows that may be compared with each other. */
export interface Table {
  title: string
  /** Name of the row that the others are given as multiples of. */
  baseline: string
  rows: Row[]
}

/** Lines that may be compared with each other, in one pair of axes. */
export interface Curves {
  /** Name of its plot's file, without the extension. */
  id: string
  title: string
  x: Axis
  y: Axis
  /** Name of the line that the others are given as multiples of. */
  baseline: string
  lines: Line[]
}

export interface Axis {
  title: string
  unit: Unit
}

export interface Line {
  name: string
  does: string
  /** In the order of `x`. A line may lack points that others have. */
  points: Point[]
}

export interface Point {
  x: number
  /** The median. */
  y: number
  /** Slices with the same index in two points with the same `x` are a pair. */
  slices: number[]
}

export const pointOf = (x: number, slices: number[]): Point => ({ x, y: quantile(slices, 0.5), slices })

/** A goal of this project. */
export interface Target {
  what: string
  got: Ratio
  /** The least or the most that `got` may be. */
  atLeast?: number
  atMost?: number
}

/** Whether the whole interval meets the goal or misses it; else the slices don't decide it. */
export function verdict({ got, atLeast = -Infinity, atMost = Infinity }: Target): string {
  const { low, high } = got.interval ?? { low: -Infinity, high: Infinity }
  if (low >= atLeast && high <= atMost) return 'met'
  return high < atLeast || low > atMost ? 'missed' : 'undecided'
}

/** The row of that name. A section names only rows that it measured. */
export function row(table: Table, name: string): Row {
  const found = table.rows.find(candidate => candidate.name === name)
  if (!found) throw new Error(`"${table.title}" has no row "${name}"`)
  return found
}

export function line(curves: Curves, name: string): Line {
  const found = curves.lines.find(candidate => candidate.name === name)
  if (!found) throw new Error(`"${curves.title}" has no line "${name}"`)
  return found
}

/** The time of `slow` as a multiple of the time of `fast`. */
export const times = (table: Table, slow: string, fast: string): Ratio =>
  ratioOf(row(table, slow).slices, row(table, fast).slices)
