import type { Unit } from './format.js'
import type { Row } from './measure.js'

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
}

/** A goal of this project. */
export interface Target {
  what: string
  got: number
  /** The least or the most that `got` may be. */
  atLeast?: number
  atMost?: number
}

export const isMet = ({ got, atLeast = -Infinity, atMost = Infinity }: Target): boolean =>
  got >= atLeast && got <= atMost

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

/** The median of `slow` as a multiple of the median of `fast`. */
export const times = (table: Table, slow: string, fast: string): number =>
  row(table, slow).median / row(table, fast).median
