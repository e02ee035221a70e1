// Texts for a terminal.
import type { AgentInfo, Inspection } from '../domain.js'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
/** More names than this are not listed within a sentence or a table cell. */
const MOST_NAMES = 6

/** 72000000 → "68.7 MiB" */
export function bytes(count: number): string {
  let value = count
  let unit = 0
  // Not 1024: what would be rounded to it takes the next unit.
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

/** count(2, 'object') → "2 objects" */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** "1234", "1234/w3" for its worker thread 3, "1234 (dead)" */
export const agent = ({ pid, thread, alive }: AgentInfo): string =>
  `${pid}${thread === 0 ? '' : `/w${thread}`}${alive ? '' : ' (dead)'}`

export const agents = (list: readonly AgentInfo[]): string => list.map(agent).join(', ') || '-'

/** The group of a domain, as `--json` prints it. */
export const groupOf = ({ group }: Inspection): { id: number; name: string | null } | null =>
  group ? { id: group.id, name: group.name ?? null } : null

/** "staff (50)", or "50" if the group has no name here */
export const groupName = ({ id, name }: { id: number; name?: string }): string =>
  name === undefined ? String(id) : `${name} (${id})`

/** 'domain "default"', 'domain "default" of group staff (50)' */
export const domainOf = ({ domain, group }: Inspection): string =>
  `domain "${domain}"${group ? ` of group ${groupName(group)}` : ''}`

/** "a, b, c and 12 more" */
export function names(list: readonly string[]): string {
  const more = list.length - MOST_NAMES
  return list.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/**
 * Rows in columns as wide as their widest cell. Columns whose heading starts with ">" are aligned
 * right.
 */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const isRight = headings.map(heading => heading.startsWith('>'))
  const lines = [headings.map(heading => heading.replace('>', '')), ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map(line => width(line[column] ?? ''))))
  return lines
    .map(line =>
      line
        .map((cell, column) => pad(cell, column))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')

  function pad(cell: string, column: number): string {
    const gap = ' '.repeat((widths[column] ?? 0) - width(cell))
    return isRight[column] ? gap + cell : cell + gap
  }
}

/** "label  value" lines; those without a value are left out. */
export function fields(pairs: Record<string, string | undefined>): string {
  const present = Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const widest = Math.max(...present.map(([label]) => label.length))
  return present.map(([label, value]) => `${label.padEnd(widest)}  ${value}`).join('\n')
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const isWide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60]/u

/** Terminal cells that a text takes: names may be in any script. */
function width(text: string): number {
  let cells = 0
  for (const { segment } of graphemes.segment(text)) cells += isWide.test(segment) ? 2 : 1
  return cells
}
