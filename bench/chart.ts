import { duration } from './format.js'
import type { Row } from './measure.js'
import type { Section, Table } from './section.js'

const WIDTH = 860
const LABELS = 330
const VALUES = 80
const LINE = 24
const TOP = 52
const PLOT = WIDTH - LABELS - VALUES - 20

/** Its own background, so that it is readable on any page; dark where the reader prefers that. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 }
  .group { font-weight: 600 }
  .tick, .value { font-size: 11px; fill: #59636e }
  .page { fill: #ffffff; stroke: #d1d9e0 }
  .grid { stroke: #d1d9e0 }
  .ours { fill: #0969da }
  .peer { fill: #9198a1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .tick, .value { fill: #9198a1 }
    .page { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #3d444d }
    .ours { fill: #4493f8 }
    .peer { fill: #656c76 }
  }`

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
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 30}" role="img">`,
    `<title>${escape(section.title)}</title><style>${STYLE}</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${bottom + 29}" rx="6"/>`,
    text('title', 16, 30, `${section.title} (time, logarithmic; shorter is faster)`),
    ...scale.decades.map(decade =>
      gridLine(scale.x(decade), bottom, duration(decade).replace(/\.0+(?= )/, '')),
    ),
    ...groups,
    '</svg>',
    '',
  ].join('\n')
}

interface Scale {
  decades: number[]
  /** Where a time is, in pixels. */
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
      text('value', end + 6, y + 15, duration(row.median)),
    ].join('')
  })
  return [text('group', 16, top + 15, table.title), ...bars].join('\n')
}

const gridLine = (x: number, bottom: number, label: string): string =>
  `<line class="grid" x1="${fixed(x)}" x2="${fixed(x)}" y1="${TOP}" y2="${bottom}"/>` +
  `<text class="tick" x="${fixed(x)}" y="${bottom + 16}" text-anchor="middle">${escape(label)}</text>`

const text = (kind: string, x: number, y: number, content: string): string =>
  `<text class="${kind}" x="${fixed(x)}" y="${fixed(y)}">${escape(content)}</text>`

const fixed = (value: number): string => value.toFixed(1)

const escape = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
