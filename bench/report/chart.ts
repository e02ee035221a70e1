import { duration, round } from '../harness/format.js'
import type { Row } from '../harness/measure.js'
import type { Section, Table } from '../harness/section.js'
import { fixed, page, rule, text, WIDTH } from './svg.js'

const LABELS = 330
const VALUES = 80
const LINE = 24
const TOP = 52
const PLOT = WIDTH - LABELS - VALUES - 20

const STYLE = `
  .ours { fill: #0969da }
  .peer { fill: #9198a1 }`
const DARK = `
    .ours { fill: #4493f8 }
    .peer { fill: #656c76 }`

/** Bars of all rows of a section on one logarithmic scale: shorter is faster. */
export function chart(section: Section): string {
  const scale = scaleOf(section.tables.flatMap(table => table.rows))
  const lines = section.tables.reduce((sum, table) => sum + table.rows.length + 1.5, 0)
  const bottom = TOP + lines * LINE
  let y = TOP
  const groups = section.tables.map(table => {
    const group = groupOf(table, y, scale)
    y += (table.rows.length + 1.5) * LINE
    return group
  })
  return page(section.title, bottom + 30, STYLE, DARK, [
    text('title', 16, 30, `${section.title} (time, logarithmic; shorter is faster)`),
    ...scale.decades.map(decade => gridLine(scale.x(decade), bottom, round(duration(decade)))),
    ...groups,
  ])
}

interface Scale {
  decades: number[]
  /** The position of a time, in pixels. */
  x(ns: number): number
}

/** From the power of ten below the shortest time to the one above the longest. */
function scaleOf(rows: Row[]): Scale {
  const medians = rows.map(row => row.median)
  const first = Math.ceil(Math.log10(Math.min(...medians))) - 1
  const last = Math.max(Math.ceil(Math.log10(Math.max(...medians))), first + 1)
  return {
    decades: Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i)),
    x: ns => LABELS + ((Math.log10(ns) - first) / (last - first)) * PLOT,
  }
}

function groupOf(table: Table, top: number, scale: Scale): string {
  const bars = table.rows.map((row, i) => {
    const y = top + (i + 1) * LINE
    const end = scale.x(row.median)
    const owner = row.name.startsWith('crossmem') ? 'ours' : 'peer'
    return [
      text('label', 28, y + 15, row.name),
      `<rect class="${owner}" x="${LABELS}" y="${y + 3}" width="${fixed(end - LABELS)}" height="${LINE - 8}"/>`,
      text('value', end + 6, y + 15, row.isNever ? 'never' : duration(row.median)),
    ].join('')
  })
  return [text('group', 16, top + 15, table.title), ...bars].join('\n')
}

const gridLine = (x: number, bottom: number, label: string): string =>
  rule('grid', x, TOP, x, bottom) + text('tick', x, bottom + 16, label, 'middle')
