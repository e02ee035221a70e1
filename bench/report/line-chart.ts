import { round, shown } from '../harness/format.js'
import type { Axis, Curves, Line, Point } from '../harness/section.js'
import { placesOf } from './line-labels.js'
import { type Scale, scaleOf } from './scale.js'
import { fixed, page, rule, text, WIDTH } from './svg.js'

const [LEFT, RIGHT, TOP, HEIGHT] = [76, 270, 76, 400]
const END = WIDTH - RIGHT
const BOTTOM = TOP + HEIGHT
/** Where names begin, with a piece of their line; and from one to the next. */
const [NAMES, SAMPLE, NAME] = [END + 24, 24, 18]

/** Blue is ours; peers have the other colours. On white, on black. */
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
/** Tells apart those of one colour. */
const DASHES = ['', '7 3', '2 3', '10 3 2 3', '1 5']

/** Lines with their names beside their ends. */
export function lineChart(curves: Curves): string {
  const x = scaleOf(curves.x.unit, values(curves, 'x'), LEFT, END)
  const y = scaleOf(curves.y.unit, values(curves, 'y'), BOTTOM, TOP)
  const looks = looksOf(curves.lines)
  return page(curves.title, BOTTOM + 56, STYLE + colours(looks, 0), colours(looks, 1), [
    text('title', 16, 30, curves.title),
    ...grid(curves.x, curves.y, x, y),
    ...curves.lines.map(({ points }, i) => {
      const at = points.map(point => [x.at(point.x), y.at(point.y)])
      return polyline(`l${i}`, at, looks[i])
    }),
    ...names(curves.lines, looks, x, y),
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

interface Look {
  colours: readonly [string, string]
  width: number
  dash: string
}

function looksOf(lines: Line[]): Look[] {
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

const colours = (looks: Look[], which: 0 | 1): string =>
  looks
    .map((look, i) => `\n  .l${i} { stroke: ${look.colours[which]} } .n${i} { fill: ${look.colours[which]} }`)
    .join('')

function polyline(kind: string, points: number[][], look?: Look): string {
  const at = points.map(point => point.map(fixed).join(',')).join(' ')
  const width = look ? ` stroke-width="${look.width}"` : ''
  const dash = look?.dash ? ` stroke-dasharray="${look.dash}"` : ''
  return `<polyline class="${kind}" points="${at}"${width}${dash}/>`
}

/** Of each line its name, a piece of it, and what leads there from its end. */
function names(lines: Line[], looks: Look[], x: Scale, y: Scale): string[] {
  const ends = lines.map(({ points }) => points[points.length - 1] as Point)
  const places = placesOf(
    ends.map(end => y.at(end.y)),
    NAME,
    TOP - NAME,
    BOTTOM + NAME,
  )
  return places.map(({ i, end, at }) => {
    const leader = [
      [x.at((ends[i] as Point).x) + 2, end],
      [END + 4, end],
      [NAMES - 2, at],
    ]
    const sample = [
      [NAMES, at],
      [NAMES + SAMPLE, at],
    ]
    return (
      polyline(`leader l${i}`, leader) +
      polyline(`l${i}`, sample, looks[i]) +
      text(`n${i}`, NAMES + SAMPLE + 6, at + 4, (lines[i] as Line).name)
    )
  })
}
