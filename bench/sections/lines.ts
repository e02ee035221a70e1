import type { Row } from '../harness/measure.js'
import { type Line, pointOf } from '../harness/section.js'

/** A line through the rows whose names match; where several match, through the fastest row. */
export interface LineOf {
  names: RegExp
  /** Name of the line, if rows of several names match. */
  name?: string
}

/**
 * Lines through the rows that were measured at each `x`. `y` computes a point's height from its
 * time.
 */
export function linesThrough(
  lines: LineOf[],
  at: { x: number; rows: Row[] }[],
  y: (x: number, ns: number) => number,
): Line[] {
  return lines.flatMap(({ names, name }) => {
    const found = at.flatMap(({ x, rows }) => {
      const shortest = rows.filter(row => names.test(row.name)).sort((a, b) => a.median - b.median)[0]
      if (!shortest) return []
      const slices = shortest.slices.map(ns => y(x, ns))
      return [{ row: shortest, point: pointOf(x, slices) }]
    })
    const [first] = found
    if (!first) return []
    const deeds = new Map(found.map(({ row }) => [row.name, row.does]))
    const does =
      deeds.size === 1
        ? first.row.does
        : `the faster one at each point: ${[...deeds].map(([way, deed]) => `${way} (${deed})`).join('; ')}`
    return [{ name: name ?? first.row.name, does, points: found.map(({ point }) => point) }]
  })
}
