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

/** The group of a domain, as `--json` prints it. */
export const groupOf = ({ group }: Pick<Inspection, 'group'>): { id: number; name: string | null } | null =>
  group ? { id: group.id, name: group.name ?? null } : null

/** "staff (50)", or "50" if the group has no name here */
export const groupName = ({ id, name }: { id: number; name?: string | null }): string =>
  name == null ? String(id) : `${name} (${id})`

/** 'domain "default"', 'domain "default" of group staff (50)' */
export const domainOf = ({ domain, group }: Inspection): string =>
  `domain "${domain}"${group ? ` of group ${groupName(group)}` : ''}`

/** A list of the cells of a table, which is cut between its items only. */
export interface List {
  groups: readonly Group[]
  /** Behind all groups. */
  end?: string
}

interface Group {
  before?: string
  items: readonly string[]
  /** How many there are besides the items. */
  more?: number
  after?: string
}

/** Agents as a list; "-" without any. */
export function agentList(list: readonly AgentInfo[]): Cell {
  // Most objects of a large domain have one user, and there is nothing to cut between.
  const [first] = list
  if (first && list.length === 1) return agent(first)
  return first ? { groups: [{ items: list.map(agent) }] } : '-'
}

/** Holders or waiters of an object as a group of a list: "1234", "1235 x 3", "dead x 2". */
export function userGroup(
  list: readonly (AgentInfo & { count: number })[],
  around: Pick<Group, 'before' | 'after'>,
): Group {
  const counts = new Map<string, number>()
  for (const one of list) counts.set(agent(one), (counts.get(agent(one)) ?? 0) + one.count)
  const items = [...counts].map(([name, count]) => (count === 1 ? name : `${name} x ${count}`))
  return { ...around, items }
}

/** "1, 2 for room; 3 for lock"; with at most one item of a group: "1 +1 for room; 3 for lock". */
const listText = ({ groups, end = '' }: List, most = Number.POSITIVE_INFINITY): string =>
  groups.map(group => groupText(group, most)).join('; ') + end

/** "a, b +12"; with none of them "+14", but a single one is always there. */
function groupText({ before = '', items, more = 0, after = '' }: Group, most: number): string {
  if (most === 0 && items.length === 1 && more === 0) return items[0] + after
  const shown = items.slice(0, most)
  const hidden = items.length - shown.length + more
  return before + [shown.join(', '), hidden > 0 ? `+${hidden}` : ''].filter(Boolean).join(' ') + after
}

/** Names as a list; "-" without any. */
export const nameList = (list: readonly string[]): List | '-' =>
  list.length === 0
    ? '-'
    : { groups: [{ items: list.slice(0, MOST_NAMES), more: Math.max(0, list.length - MOST_NAMES) }] }

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
  /** Whether its cells are lists, which are cut before other cells. */
  isList?: boolean
}

export type Cell = string | List

/** The narrowest that a column is cut to, and that one of lists is cut to before others are. */
const NARROWEST = 8
const NARROW_LIST = 12
const GAP = 2

/**
 * Rows in columns as wide as their widest cell. If a line has more than `room` cells, the widest of
 * the columns that may be cut are cut, so that one long name doesn't break all lines.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  room = Number.POSITIVE_INFINITY,
): string[] {
  const lines: (readonly Cell[])[] = [columns.map(({ heading }) => heading), ...rows]
  const texts = lines.map(line => line.map(cell => visible(whole(cell))))
  const lengths = texts.map(line => line.map(width))
  const widths = columns.map((_, i) => lengths.reduce((most, line) => Math.max(most, line[i] ?? 0), 0))
  if (Number.isFinite(room))
    narrow(
      widths,
      columns,
      columns.map((_, i) => widestShort(lines, i)),
      room,
    )
  const [headings = '', ...others] = lines.map((line, row) =>
    columns
      .map(({ isRight }, i) => {
        const [most, length] = [widths[i] as number, lengths[row]?.[i] ?? 0]
        if (length <= most) return pad(texts[row]?.[i] ?? '', most - length, isRight)
        const cell = shorten(line[i] as Cell, most)
        return pad(cell, most - width(cell), isRight)
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  )
  return [bold(headings), ...others]
}

/** The whole text of a cell; with `most`, at most so many items of a group. */
export const whole = (cell: Cell, most?: number): string =>
  typeof cell === 'string' ? cell : listText(cell, most)

/** The width of a column whose lists show one item of a group. */
const widestShort = (lines: readonly (readonly Cell[])[], column: number): number =>
  lines.reduce((most, line) => Math.max(most, width(whole(line[column] ?? '', 1))), 0)

const pad = (text: string, cells: number, isRight = false): string =>
  isRight ? ' '.repeat(cells) + text : text + ' '.repeat(cells)

/**
 * As much of a cell as there is room for: whole items of a list, and how many more there are; at
 * last without what they are about.
 */
function shorten(cell: Cell, room: number): string {
  if (typeof cell === 'string') return cut(visible(cell), room)
  const { groups } = cell
  // An item takes two cells at least, with its comma.
  for (let most = Math.ceil(room / 2); most > 0; most--) {
    const text = visible(listText(cell, most))
    if (width(text) <= room) return text
  }
  const more = groups.reduce((sum, group) => sum + (group.more ?? 0), 0)
  const bare = { groups: [{ items: groups.flatMap(({ items }) => items), more }] }
  const texts = [{ groups }, bare].flatMap(list => [1, 0].map(most => visible(listText(list, most))))
  return texts.find(text => width(text) <= room) ?? cut(texts.at(-1) as string, room)
}

/** Only a terminal gets more than text, unless its user refuses: https://no-color.org */
const bold = (text: string): string =>
  process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[1m${text}\x1b[22m` : text

/** Makes the widest columns narrower, cell by cell, until a line fits: at first lists only. */
function narrow(
  widths: number[],
  columns: readonly Column[],
  shortest: readonly number[],
  room: number,
): void {
  const excess = (): number => widths.reduce((sum, width) => sum + width + GAP, -GAP) - room
  const shrink = (to: (column: Column, i: number) => number): void => {
    while (excess() > 0) {
      const spare = widths.map((width, i) => (width > to(columns[i] as Column, i) ? width : 0))
      const widest = spare.indexOf(Math.max(...spare))
      if ((spare[widest] ?? 0) === 0) return
      widths[widest] = (widths[widest] as number) - 1
    }
  }
  const { POSITIVE_INFINITY: never } = Number
  shrink(({ isList }, i) => (isList ? Math.min(NARROW_LIST, shortest[i] ?? 0) : never))
  shrink(({ isCut, isList }) => (isCut || isList ? NARROWEST : never))
}

/** "a-very-lo…"; of some words no number is cut in two: "9 of …" */
export function cut(text: string, room: number): string {
  if (width(text) <= room) return text
  let kept = ''
  let cells = 1
  for (const { segment } of graphemes.segment(text)) {
    cells += cellsOf(segment)
    if (cells > room) break
    kept += segment
  }
  return `${kept}…`.replace(HALF_A_NUMBER, '…')
}

const HALF_A_NUMBER = /(?<= )\d[\d.]*…$/

/**
 * A text of shared memory or of another program: no character of it moves the cursor, changes the
 * terminal or the direction of the text.
 */
export const visible = (text: string): string => (isPlain.test(text) ? text : escaped(text))

/** Most texts are plain, and looking into them character by character is slow. */
const isPlain = /^[ -~]*$/

const escaped = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, character =>
    JOINERS.test(character) ? character : `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  )

/** Zero-width joiner and non-joiner are parts of words and emoji. */
const JOINERS = /[\u200c\u200d]/

/** "label  value" lines, broken where there is no more room; those without a value are left out. */
export function fields(pairs: Record<string, string | undefined>, room?: number): string {
  const present = Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined)
  const widest = Math.max(...present.map(([label]) => label.length))
  return present
    .map(([label, value]) => wrap(`${label.padEnd(widest)}  ${visible(value)}`, room, widest + 2))
    .join('\n')
}

/** A text in lines of at most `room` cells, broken at blanks; further lines are indented. */
export function wrap(text: string, room = Number.POSITIVE_INFINITY, indent = 0): string {
  if (width(text) <= room) return text
  let cells = 0
  let wrapped = ''
  for (const word of text.split(/(?<=\S) /)) {
    const length = width(word)
    const isFirst = wrapped === ''
    const goesOn = isFirst || cells + 1 + length <= room
    if (!isFirst) wrapped += goesOn ? ' ' : `\n${' '.repeat(indent)}`
    wrapped += word
    cells = goesOn ? cells + length + (isFirst ? 0 : 1) : indent + length
  }
  return wrapped
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const isWide =
  /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}|\p{Emoji_Presentation}|[\u3000-\u303f\uff01-\uff60]/u

/** Terminal cells that a text takes: names may be in any script. */
function width(text: string): number {
  if (isPlain.test(text)) return text.length
  let cells = 0
  for (const { segment } of graphemes.segment(text)) cells += cellsOf(segment)
  return cells
}

const cellsOf = (grapheme: string): number => (isWide.test(grapheme) ? 2 : 1)
