import { duration, figures, round, shown } from '../harness/format.js'
import type { Machine } from '../harness/machine.js'
import {
  type Curves,
  line,
  type Point,
  row,
  type Section,
  type Table,
  type Target,
  verdict,
} from '../harness/section.js'
import { isNoisy, NOISY, type Ratio, ratioOf } from '../harness/statistics.js'
import { chart } from './chart.js'
import { lineChart } from './line-chart.js'

/** The results of a run, from which all its files are made. */
export interface Results {
  quick: boolean
  machine: Machine
  sections: Section[]
}

/** The files of a run, by name. */
export function filesOf(results: Results): Map<string, string> {
  const json = `${inLines(JSON.stringify(results, sixFigures, 1))}\n`
  // From the rounded figures, so that results.json is enough to make the other files again.
  const written = JSON.parse(json) as Results
  const files = new Map([
    ['results.json', json],
    ['RESULTS.md', resultsPage(written)],
  ])
  for (const section of written.sections) {
    if (section.tables.length > 0) files.set(`${section.id}.svg`, chart(section))
    for (const curves of section.curves ?? []) files.set(`${curves.id}.svg`, lineChart(curves))
  }
  return files
}

const sixFigures = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value

/** Each list of numbers on one line. */
const inLines = (json: string): string =>
  json.replace(/\[[-+.\de,\s]+\]/g, numbers => numbers.replace(/\s+/g, ''))

function resultsPage({ machine, sections, quick }: Results): string {
  return [
    '# Results',
    '',
    'Written by `npm run bench`; do not edit. The peers of a table were measured by short slices in turn: A B C, then',
    'C B A, then the same in another order. A figure is the median of its slices; half of the slices lie between the',
    'quartiles beside it. “×” compares a row with the row marked 1, by pairs of slices that were taken in the same turn:',
    'it is the median of their ratios, and above 1 takes longer. Load and clock rates that change both slices of a pair',
    'leave their ratio as it is. Beside “×” is the 95 % confidence interval of that median, which makes no assumption about',
    'how the ratios are distributed (H. A. David, H. N. Nagaraja, Order Statistics, third edition, 2003, section 7.1).',
    `A ratio is marked “noisy” if its interval is wider than a factor of ${NOISY}, or if there were too few pairs for one. Where`,
    'a table has a column for each size, share or number of processes, “×” compares with the row marked 1 in the same',
    'column. All figures as numbers, slice by slice: [results.json](results.json).',
    ...(quick ? ['', '**A quick run, with small arrays and few slices: its figures mean nothing.**'] : []),
    '',
    '| machine | |',
    '| --- | --- |',
    ...machine.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`),
    '',
    '## Targets',
    '',
    '| target | measured | interval | |',
    '| --- | ---: | ---: | --- |',
    ...sections.flatMap(section => section.targets.map(targetLine)),
    '',
    ...sections.flatMap(sectionLines),
  ].join('\n')
}

function targetLine(target: Target): string {
  const wanted =
    target.atLeast === undefined ? `≤ ${target.atMost}` : `≥ ${target.atLeast.toLocaleString('en-US')}`
  return `| ${cell(target.what)}: ${wanted} | ${figures(target.got.median)} | ${intervalOf(target.got)} | ${verdict(target)} |`
}

function sectionLines(section: Section): string[] {
  return [
    `## ${section.title}`,
    '',
    section.intro,
    '',
    ...(section.tables.length > 0 ? [`![${section.title}](${section.id}.svg)`, ''] : []),
    ...section.tables.flatMap(tableLines),
    ...(section.curves ?? []).flatMap(curvesLines),
    ...list('What was measured:', whatEachDid(section)),
    ...list('What peers do better:', section.better),
    ...list('Not measured here:', section.missing),
  ]
}

function tableLines(table: Table): string[] {
  const base = row(table, table.baseline).slices
  const more = Object.keys(table.rows[0]?.also ?? {})
  const lines = table.rows.map(({ name, median, low, high, slices, isNever, also }) => {
    const ratio = ratioOf(slices, base)
    const range = `${duration(low)} – ${duration(high)}`
    const others = more.map(what => ` ${duration(also?.[what] as number)} |`).join('')
    return `| ${cell(name)} | ${isNever ? `never in ${duration(median)}` : duration(median)} | ${range} | ${figures(ratio.median)} | ${intervalOf(ratio)} | ${slices.length} |${others}`
  })
  return [
    `| ${cell(table.title)} | median | quartiles | × | interval of × | slices |${more.map(what => ` ${cell(what)} |`).join('')}`,
    `| --- | ---: | ---: | ---: | ---: | ---: |${' ---: |'.repeat(more.length)}`,
    ...lines,
    '',
  ]
}

/** `1.20 – 1.25`, and whether it is noisy. */
export function intervalOf(ratio: Ratio): string {
  const { interval } = ratio
  const range = interval ? [`${figures(interval.low)} – ${figures(interval.high)}`] : []
  return [...range, ...(isNoisy(ratio) ? ['noisy'] : [])].join(', ')
}

/** The plot, and its figures as a table. */
function curvesLines(curves: Curves): string[] {
  const xs = [...new Set(curves.lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort(
    (a, b) => a - b,
  )
  const base = line(curves, curves.baseline)
  const at = (points: Point[], x: number): Point | undefined => points.find(point => point.x === x)
  const lines = curves.lines.map(({ name, points }) => {
    const cells = xs.map(x => {
      const [own, one] = [at(points, x), at(base.points, x)]
      if (own === undefined) return ' |'
      return ` ${shown[curves.y.unit](own.y)}${one === undefined ? '' : `, ${multiple(own, one)}`} |`
    })
    return `| ${cell(name)} |${cells.join('')}`
  })
  return [
    `![${curves.title}](${curves.id}.svg)`,
    '',
    `| ${cell(curves.title)}: ${curves.y.title} |${xs.map(x => ` ${round(shown[curves.x.unit](x))} |`).join('')}`,
    `| --- |${' ---: |'.repeat(xs.length)}`,
    ...lines,
    '',
  ]
}

/** `1.23× (1.20 – 1.25)` */
function multiple(own: Point, one: Point): string {
  const ratio = ratioOf(own.slices, one.slices)
  return `${figures(ratio.median)}× (${intervalOf(ratio)})`
}

/** One line for every name, with the description of its first row. */
function whatEachDid(section: Section): string[] {
  const does = new Map<string, string>()
  const rows = section.tables.flatMap(table => table.rows)
  const lines = (section.curves ?? []).flatMap(curves => curves.lines)
  for (const { name, does: deed } of [...rows, ...lines]) if (!does.has(name)) does.set(name, deed)
  return [...does].map(([name, deed]) => `**${name}**: ${deed}`)
}

const list = (heading: string, lines: string[]): string[] =>
  lines.length === 0 ? [] : [heading, '', ...lines.map(line => `- ${line}`), '']

const cell = (text: string): string => text.replaceAll('|', '\\|')
