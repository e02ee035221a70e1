import { round, shown } from '../harness/format.js'
import type { Axis, Curves, Line, Point } from '../harness/section.js'
import { labelsOf } from './line-labels.js'
import { type Scale, scaleOf } from './scale.js'
import { fixed, page, rule, text, WIDTH } from './svg.js'

const [LEFT, RIGHT, TOP, HEIGHT] = [76, 270, 76, 400]
const END = WIDTH - RIGHT
const BOTTOM = TOP + HEIGHT
/** The left edge of the legend, the length of its samples, and the height of an entry. */
const [LEGEND, SAMPLE, ENTRY] = [END + 24, 24, 18]

/** Blue is crossmem; peers have the other colours. The second value is for dark pages. */
const OURS = ['#0969da', '#4493f8'] as const
const PEERS = [
  ['#bc4c00', '#f0883e'],
  ['#1a7f37', '#3fb950'],
  ['#8250df', '#ab7df8'],
  ['#bf3989', '#f778ba'],
  ['#9a6700', '#d29922'],
  ['#57606a', '#b1bac4'],
  ['#cf222e', '#ff7b72'],
  ['#1b7c83', '#56d4dd'],
] as const
/** Tells lines of one colour apart. */
const DASHES = ['', '7 3', '2 3', '10 3 2 3', '1 5']

/** Lines with their names beside their ends. */
export function lineChart(curves: Curves): string {
  const x = scaleOf(curves.x.unit, values(curves, 'x'), LEFT, END)
  const y = scaleOf(curves.y.unit, values(curves, 'y'), BOTTOM, TOP)
  const styles = stylesOf(curves.lines)
  return page(curves.title, BOTTOM + 56, STYLE + coloursOf(styles, 0), coloursOf(styles, 1), [
    text('title', 16, 30, curves.title),
    ...grid(curves.x, curves.y, x, y),
    ...curves.lines.map(({ points }, i) => {
      const at = points.map(point => [x.at(point.x), y.at(point.y)])
      return polyline(`l${i}`, at, styles[i])
    }),
    ...legend(curves.lines, styles, x, y),
  ])
}

const values = ({ lines }: Curves, axis: 'x' | 'y'): number[] =>
  lines.flatMap(({ points }) => points.map(point => point[axis]))

function grid(across: Axis, up: Axis, x: Scale, y: Scale): string[] {
  const label = (axis: Axis, tick: number): string => round(shown[axis.unit](tick))
  return [
    text('tick', 16, TOP - 16, `${up.title} (logarithmic)`),
    text('tick', (LEFT + END) / 2, BOTTOM + 40, across.title, 'middle'),
    ...x.ticks.map(tick => {
      const at = x.at(tick)
      return rule('grid', at, TOP, at, BOTTOM) + text('tick', at, BOTTOM + 18, label(across, tick), 'middle')
    }),
    ...y.ticks.map(tick => {
      const at = y.at(tick)
      return rule('grid', LEFT, at, END, at) + text('tick', LEFT - 8, at + 4, label(up, tick), 'end')
    }),
  ]
}

interface Style {
  colours: readonly [string, string]
  width: number
  dash: string
}

function stylesOf(lines: Line[]): Style[] {
  let [ours, peers] = [0, 0]
  const nth = <T>(items: readonly T[], n: number): T => items[n % items.length] as T
  return lines.map(({ name }) => {
    if (name.startsWith('crossmem')) return { colours: OURS, width: 2.5, dash: nth(DASHES, ours++) }
    const dash = nth(DASHES, Math.floor(peers / PEERS.length))
    return { colours: nth(PEERS, peers++), width: 1.6, dash }
  })
}

const STYLE = `
  polyline { fill: none; stroke-linejoin: round }
  .leader { stroke-width: 0.8; opacity: 0.6 }`

const coloursOf = (styles: Style[], which: 0 | 1): string =>
  styles
    .map(({ colours }, i) => `\n  .l${i} { stroke: ${colours[which]} } .n${i} { fill: ${colours[which]} }`)
    .join('')

function polyline(kind: string, points: number[][], style?: Style): string {
  const at = points.map(point => point.map(fixed).join(',')).join(' ')
  const width = style ? ` stroke-width="${style.width}"` : ''
  const dash = style?.dash ? ` stroke-dasharray="${style.dash}"` : ''
  return `<polyline class="${kind}" points="${at}"${width}${dash}/>`
}

/** The legend: for each line its name, a sample, and a leader from the end of the line. */
function legend(lines: Line[], styles: Style[], x: Scale, y: Scale): string[] {
  const ends = lines.map(({ points }) => points[points.length - 1] as Point)
  const labels = labelsOf(
    ends.map(end => y.at(end.y)),
    ENTRY,
    TOP - ENTRY,
    BOTTOM + ENTRY,
  )
  return labels.map(({ i, end, at }) => {
    const leader = [
      [x.at((ends[i] as Point).x) + 2, end],
      [END + 4, end],
      [LEGEND - 2, at],
    ]
    const sample = [
      [LEGEND, at],
      [LEGEND + SAMPLE, at],
    ]
    return (
      polyline(`leader l${i}`, leader) +
      polyline(`l${i}`, sample, styles[i]) +
      text(`n${i}`, LEGEND + SAMPLE + 6, at + 4, (lines[i] as Line).name)
    )
  })
}
