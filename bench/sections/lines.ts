import type { Row } from '../harness/measure.js'
import type { Line } from '../harness/section.js'

/** A line, and the names of what it may be drawn of: where that is more than one, of whichever is the fastest at that point. */
export interface LineOf {
  names: RegExp
  /** Where it is several. */
  name?: string
}

/** Lines through rows that were measured at each `x`; `y` makes a point's height of the row that took the shortest. */
export function linesThrough(
  lines: LineOf[],
  at: { x: number; rows: Row[] }[],
  y: (x: number, row: Row) => number,
): Line[] {
  return lines.flatMap(({ names, name }) => {
    const found = at.flatMap(({ x, rows }) => {
      const shortest = rows.filter(row => names.test(row.name)).sort((a, b) => a.median - b.median)[0]
      return shortest ? [{ row: shortest, point: { x, y: y(x, shortest) } }] : []
    })
    const [first] = found
    if (!first) return []
    const deeds = new Map(found.map(({ row }) => [row.name, row.does]))
    const does =
      deeds.size === 1
        ? first.row.does
        : `whichever is faster: ${[...deeds].map(([way, deed]) => `${way} (${deed})`).join('; ')}`
    return [{ name: name ?? first.row.name, does, points: found.map(({ point }) => point) }]
  })
}
