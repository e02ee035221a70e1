import type { Unit } from './format.js'
import type { Row } from './measure.js'

/** One question, and what was measured to answer it. */
export interface Section {
  /** File name of its plot. */
  id: string
  title: string
  /** What was done, in Markdown. */
  intro: string
  tables: Table[]
  /** What depends on a number, such as a size: a plot of lines each. */
  curves?: Curves[]
  targets: Target[]
  /** What peers do better, one line each. */
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
  /** File name of its plot. */
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
  /** In the order of `x`; not every line has all of them. */
  points: Point[]
}

export interface Point {
  x: number
  /** The median. */
  y: number
}

/** What this project promises itself. */
export interface Target {
  what: string
  got: number
  /** `got` must be at least this, or at most. */
  atLeast?: number
  atMost?: number
}

export const isMet = ({ got, atLeast = -Infinity, atMost = Infinity }: Target): boolean =>
  got >= atLeast && got <= atMost

/** The row of that name; a section names only rows that it measured. */
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

/** How many times longer one row takes than another. */
export const times = (table: Table, slow: string, fast: string): number =>
  row(table, slow).median / row(table, fast).median
