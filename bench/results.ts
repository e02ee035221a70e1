import { duration, figures } from './format.js'
import type { Machine } from './machine.js'
import { isMet, row, type Section, type Table, type Target } from './section.js'

/** RESULTS.md: every figure in it was measured in this run. */
export function resultsPage(machine: Machine, sections: Section[], quick: boolean): string {
  return [
    '# Results',
    '',
    'Written by `npm run bench`; not for editing. Peers were measured in turn within one run. A figure is the median of',
    'its samples, and half of the samples lie in the range beside it. “×” is the median as a multiple of the row that is',
    '1: above 1 takes longer.',
    ...(quick ? ['', '**A quick run, with small arrays and few rounds: its figures say nothing.**'] : []),
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
    `![${section.title}](${section.id}.svg)`,
    '',
    ...section.tables.flatMap(tableLines),
    ...list('What each did:', whatEachDid(section)),
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
    `| ${cell(table.title)} | median | half of them | × | samples |${more.map(what => ` ${cell(what)} |`).join('')}`,
    `| --- | ---: | ---: | ---: | ---: |${' ---: |'.repeat(more.length)}`,
    ...lines,
    '',
  ]
}

/** One line for every name; a later table's intro says what is different there. */
function whatEachDid(section: Section): string[] {
  const does = new Map<string, string>()
  for (const row of section.tables.flatMap(table => table.rows)) {
    if (!does.has(row.name)) does.set(row.name, row.does)
  }
  return [...does].map(([name, deed]) => `**${name}**: ${deed}`)
}

const list = (heading: string, lines: string[]): string[] =>
  lines.length === 0 ? [] : [heading, '', ...lines.map(line => `- ${line}`), '']

const cell = (text: string): string => text.replaceAll('|', '\\|')
