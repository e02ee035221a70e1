import { type Elements, elementsOf } from '../arrays/index.js'
import { CrossmemError } from '../errors.js'
import type { Segment } from '../objects/index.js'
import { count, wrap } from './format.js'
import type { Options } from './report.js'

/** How many elements `--head` shows, and how many `--plot` reads at most. */
const FIRST = 20
const MOST_SAMPLES = 100_000
/** Bins of a line and of a histogram, and the longest bar. */
const LINE_BINS = 60
const BARS = 10
const BAR_CELLS = 40

/** The elements of an object, as far as they are asked for. */
export interface Values {
  /** How many there are. */
  size: number
  first: (number | boolean | string)[] | null
  plot: Plot | null
}

/** Averages along an array of one axis, or how often values are in each of equal ranges. */
export interface Plot {
  kind: 'line' | 'histogram'
  /** Of the numbers that were read; NaN and infinities are left out. */
  min: number
  max: number
  /** Averages, `null` where there is no number; or numbers of elements. */
  bins: (number | null)[]
  /** How many elements were read. */
  read: number
}

/** Reads values without a lock: they may be of different instants. */
export function valuesOf(segment: Segment, { head, plot }: Options): Values {
  const elements = elementsOf(segment)
  return {
    size: elements.size,
    first: head ? Array.from({ length: Math.min(FIRST, elements.size) }, (_, i) => plain(elements, i)) : null,
    plot: plot ? plotOf(elements) : null,
  }
}

/** A value as JSON can have it. */
function plain(elements: Elements, index: number): number | boolean | string {
  const value = elements.read(index)
  const isPlain = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  return isPlain ? value : elements.print(index)
}

function plotOf(elements: Elements): Plot {
  const step = Math.max(1, Math.ceil(elements.size / MOST_SAMPLES))
  const samples: number[] = []
  for (let i = 0; i < elements.size; i += step) samples.push(numberOf(elements.read(i)))
  const finite = samples.filter(Number.isFinite)
  const min = finite.reduce((least, value) => Math.min(least, value), finite[0] ?? 0)
  const max = finite.reduce((most, value) => Math.max(most, value), finite[0] ?? 0)
  const isLine = elements.ndim === 1
  const bins = isLine ? averages(samples) : frequencies(finite, min, max)
  return { kind: isLine ? 'line' : 'histogram', min, max, bins, read: samples.length }
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value)
  throw new CrossmemError('ERR_UNSUPPORTED', '--plot shows real numbers only; --head shows any values')
}

function averages(samples: readonly number[]): (number | null)[] {
  const bins = Math.min(LINE_BINS, samples.length)
  return Array.from({ length: bins }, (_, bin) => {
    const [from, to] = [bin, bin + 1].map(edge => Math.floor((edge * samples.length) / bins))
    const part = samples.slice(from, to).filter(Number.isFinite)
    return part.length === 0 ? null : part.reduce((sum, value) => sum + value / part.length, 0)
  })
}

function frequencies(samples: readonly number[], min: number, max: number): number[] {
  const bins = new Array<number>(BARS).fill(0)
  for (const value of samples) {
    const bin = max > min ? Math.min(BARS - 1, Math.floor(((value - min) / (max - min)) * BARS)) : 0
    bins[bin] = (bins[bin] as number) + 1
  }
  return bins
}

/** The values as text. */
export function valuesText({ size, first, plot }: Values, room?: number): string {
  const lines: string[] = []
  if (first) {
    const more = size > first.length ? ` … ${size - first.length} more` : ''
    lines.push(wrap(first.join(' ') + more, room))
  }
  if (plot?.kind === 'line') lines.push(line(plot), scale(plot, size))
  if (plot?.kind === 'histogram') lines.push(...bars(plot), scale(plot, size))
  return lines.join('\n')
}

const BLOCKS = '▁▂▃▄▅▆▇█'

function line({ bins, min, max }: Plot): string {
  const height = (value: number) => (max > min ? Math.floor(((value - min) / (max - min)) * 7.999) : 0)
  return bins.map(value => (value === null ? ' ' : BLOCKS[height(value)])).join('')
}

function bars({ bins: all, min, max }: Plot): string[] {
  // Equal values are all in the first.
  const bins = max > min ? all : all.slice(0, 1)
  const most = bins.reduce<number>((found, bin) => Math.max(found, bin ?? 0), 1)
  const edge = (bin: number) => short(min + ((max - min) * bin) / BARS)
  const labels = bins.map((_, bin) => `${edge(bin)} to ${edge(bin + 1)}`)
  const widest = Math.max(...labels.map(({ length }) => length))
  return bins.map((bin, i) => {
    const bar = '█'.repeat(Math.ceil(((bin ?? 0) / most) * BAR_CELLS))
    return `${(labels[i] as string).padStart(widest)}  ${bar} ${bin}`
  })
}

const scale = ({ min, max, read }: Plot, size: number): string =>
  `${short(min)} to ${short(max)}${read < size ? `, ${read} of ${count(size, 'value')} read` : ''}`

const short = (value: number): string => String(Number(value.toPrecision(4)))
