import { duration, figures, round, shown } from '../harness/format.js'
import type { Machine } from '../harness/machine.js'
import {
  type Curves,
  isMet,
  line,
  type Point,
  row,
  type Section,
  type Table,
  type Target,
} from '../harness/section.js'
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
  const json = `${JSON.stringify(results, sixFigures, 1)}\n`
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

function resultsPage({ machine, sections, quick }: Results): string {
  return [
    '# Results',
    '',
    'Written by `npm run bench`; do not edit. All peers were measured in turn, within one run. A figure is the median of',
    'its samples; half of the samples lie between the quartiles beside it. “×” is the median as a multiple of the median',
    'of the row marked 1: above 1 takes longer. Where a table has a column for each size, share or number of processes,',
    '“×” is the figure as a multiple of the figure of the row marked 1 in the same column. All figures as numbers:',
    '[results.json](results.json).',
    ...(quick ? ['', '**A quick run, with small arrays and few rounds: its figures mean nothing.**'] : []),
    '',
    '| machine | |',
    '| --- | --- |',
    ...machine.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`),
    '',
    '## Targets',
    '',
    '| target | measured | |',
    '| --- | ---: | --- |',
    ...sections.flatMap(section => section.targets.map(targetLine)),
    '',
    ...sections.flatMap(sectionLines),
  ].join('\n')
}

function targetLine(target: Target): string {
  const wanted =
    target.atLeast === undefined ? `≤ ${target.atMost}` : `≥ ${target.atLeast.toLocaleString('en-US')}`
  return `| ${cell(target.what)}: ${wanted} | ${figures(target.got)} | ${isMet(target) ? 'met' : 'missed'} |`
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
  const base = row(table, table.baseline).median
  const more = Object.keys(table.rows[0]?.also ?? {})
  const lines = table.rows.map(({ name, median, low, high, samples, also }) => {
    const range = `${duration(low)} – ${duration(high)}`
    const others = more.map(what => ` ${duration(also?.[what] as number)} |`).join('')
    return `| ${cell(name)} | ${duration(median)} | ${range} | ${figures(median / base)} | ${samples} |${others}`
  })
  return [
    `| ${cell(table.title)} | median | quartiles | × | samples |${more.map(what => ` ${cell(what)} |`).join('')}`,
    `| --- | ---: | ---: | ---: | ---: |${' ---: |'.repeat(more.length)}`,
    ...lines,
    '',
  ]
}

/** The plot, and its figures as a table. */
function curvesLines(curves: Curves): string[] {
  const xs = [...new Set(curves.lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort(
    (a, b) => a - b,
  )
  const base = line(curves, curves.baseline)
  const at = (points: Point[], x: number): number | undefined => points.find(point => point.x === x)?.y
  const lines = curves.lines.map(({ name, points }) => {
    const cells = xs.map(x => {
      const [own, one] = [at(points, x), at(base.points, x)]
      if (own === undefined) return ' |'
      return ` ${shown[curves.y.unit](own)}${one === undefined ? '' : `, ${figures(own / one)}×`} |`
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
