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

/**
 * "1234", "1234/w3" for its worker thread 3, "1234 (dead)"; "dead" if the domain has forgotten the
 * process.
 */
export const agent = ({ pid, thread, alive }: AgentInfo): string =>
  pid === 0 ? 'dead' : `${pid}${thread === 0 ? '' : `/w${thread}`}${alive ? '' : ' (dead)'}`

export const agents = (list: readonly AgentInfo[]): string => list.map(agent).join(', ') || '-'

/** The group of a domain, as `--json` prints it. */
export const groupOf = ({ group }: Pick<Inspection, 'group'>): { id: number; name: string | null } | null =>
  group ? { id: group.id, name: group.name ?? null } : null

/** "staff (50)", or "50" if the group has no name here */
export const groupName = ({ id, name }: { id: number; name?: string | null }): string =>
  name == null ? String(id) : `${name} (${id})`

/** 'domain "default"', 'domain "default" of group staff (50)' */
export const domainOf = ({ domain, group }: Inspection): string =>
  `domain "${domain}"${group ? ` of group ${groupName(group)}` : ''}`

/** The holders or waiters of an object: "1234, 1235 x 3, dead x 2". */
export const users = (list: readonly (AgentInfo & { count: number })[]): string =>
  list.map(one => agent(one) + (one.count === 1 ? '' : ` x ${one.count}`)).join(', ') || '-'

/** "a, b, c and 12 more" */
export function names(list: readonly string[]): string {
  const more = list.length - MOST_NAMES
  return list.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** A column of a table. */
export interface Column {
  heading: string
  /** Whether its cells are aligned right. */
  isRight?: boolean
  /** Whether its cells may be cut where the terminal is too narrow. */
  isCut?: boolean
}

/** The narrowest that a column is cut to. */
const NARROWEST = 8
const GAP = 2

/**
 * Rows in columns as wide as their widest cell. If a line has more than `room` cells, the widest of
 * the columns that may be cut are cut, so that one long name doesn't break all lines.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  room = Number.POSITIVE_INFINITY,
): string[] {
  const lines = [columns.map(({ heading }) => heading), ...rows.map(row => row.map(visible))]
  const widths = columns.map((_, i) => lines.reduce((most, line) => Math.max(most, width(line[i] ?? '')), 0))
  narrow(widths, columns, room)
  const [headings = '', ...texts] = lines.map(line =>
    columns
      .map(({ isRight }, i) => {
        const cell = cut(line[i] ?? '', widths[i] as number)
        const gap = ' '.repeat((widths[i] as number) - width(cell))
        return isRight ? gap + cell : cell + gap
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
  return [bold(headings), ...texts]
}

/** Only a terminal gets more than text, unless its user refuses: https://no-color.org */
const bold = (text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[1m${text}\x1b[22m` : text

/** Makes the widest columns narrower, one cell at a time, until a line fits. */
function narrow(widths: number[], columns: readonly Column[], room: number): void {
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - room
  while (excess > 0) {
    const cuttable = widths.map((width, i) => (columns[i]?.isCut && width > NARROWEST ? width : 0))
    const widest = cuttable.indexOf(Math.max(...cuttable))
    if ((cuttable[widest] ?? 0) === 0) return
    widths[widest] = (widths[widest] as number) - 1
    excess--
  }
}

/** "a-very-lo…" */
export function cut(text: string, room: number): string {
  if (width(text) <= room) return text
  let kept = ''
  let cells = 1
  for (const { segment } of graphemes.segment(text)) {
    cells += cellsOf(segment)
    if (cells > room) break
    kept += segment
  }
  return `${kept}…`
}

/**
 * A text of shared memory or of another program: no character of it moves the cursor, changes the
 * terminal or the direction of the text.
 */
export const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, character =>
    JOINERS.test(character) ? character : `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )

/** Zero-width joiner and non-joiner are parts of words and emoji. */
const JOINERS = /[\u200c\u200d]/

/** "label  value" lines; those without a value are left out. */
export function fields(pairs: Record<string, string | undefined>): string {
  const present = Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const widest = Math.max(...present.map(([label]) => label.length))
  return present.map(([label, value]) => `${label.padEnd(widest)}  ${visible(value)}`).join('\n')
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const isWide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60]/u

/** Terminal cells that a text takes: names may be in any script. */
function width(text: string): number {
  // Splitting into graphemes is slow.
  if (/^[ -~]*$/.test(text)) return text.length
  let cells = 0
  for (const { segment } of graphemes.segment(text)) cells += cellsOf(segment)
  return cells
}

const cellsOf = (grapheme: string): number => (isWide.test(grapheme) ? 2 : 1)
