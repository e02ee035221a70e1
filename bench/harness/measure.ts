import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { quantile, type Spread, spreadOf } from './statistics.js'

/** How long a run takes. */
export interface Effort {
  /** Small arrays and few slices, to check that everything runs. */
  quick: boolean
  /** Seconds for each contender, of which each slice takes a part. */
  seconds: number
}

/** Something that is measured. */
export interface Contender {
  name: string
  /** What exactly it does. */
  does: string
  /**
   * Works for about so many milliseconds. Returns the nanoseconds of one operation, and other
   * figures after it.
   */
  slice(milliseconds: number): number[] | Promise<number[]>
}

/** A contender with the figures of its slices, in the order in which they were taken. */
export interface Measured {
  name: string
  does: string
  slices: number[][]
}

/** The result of a contender, in nanoseconds per operation. */
export interface Row extends Spread {
  name: string
  does: string
  /** Slices with the same index in two rows of a table are a pair. */
  slices: number[]
  /** Whether nothing had happened by then, in any slice. */
  isNever?: boolean
  /** Medians of other figures, by their name: nanoseconds per operation, too. */
  also?: Record<string, number>
}

export interface Special {
  /** Called before every round, to renew what the contenders use. */
  arrange?(): void
  /**
   * Pause before each slice, in milliseconds, so that garbage collection after the previous slice
   * can finish. Default: 0.
   */
  rest?: number
  /** Multiplies the seconds for each contender. Default: 1. */
  longer?: number
  /** How many slices the seconds of a contender are divided into. Default: 50. */
  slices?: number
}

/**
 * For contenders that only compute: a slice so short that other processes interrupt few of them.
 */
export const SHORT = { slices: 200 } satisfies Special

/** The fewest slices whose ratios have an interval. */
const LEAST = 6

/**
 * Measures all contenders by slices in turn. Each two rounds are mirrored (A B C, C B A), in an
 * order that is drawn anew for each such two. So the slices of any two contenders make pairs that
 * are close in time, and neither is the earlier one more often. Rounds end when the time of all
 * contenders is spent, but not before there are enough for an interval.
 */
export async function inTurn(
  contenders: readonly Contender[],
  { quick, seconds }: Effort,
  { arrange, rest = 0, longer = 1, slices = 50 }: Special = {},
): Promise<Measured[]> {
  const taken = new Map<Contender, number[][]>(contenders.map(contender => [contender, []]))
  const milliseconds = (seconds * longer * 1000) / slices
  arrange?.()
  for (const contender of contenders) await warmUp(contender, milliseconds)
  const end = performance.now() + milliseconds * slices * contenders.length
  for (let rounds = 0; rounds < (quick ? 2 : LEAST) || performance.now() < end; rounds += 2) {
    const order = shuffled(contenders)
    for (const round of [order, order.toReversed()]) {
      arrange?.()
      for (const contender of round) {
        await sleep(rest)
        taken.get(contender)?.push(await contender.slice(milliseconds))
      }
    }
  }
  return [...taken].map(([{ name, does }, slices]) => ({ name, does, slices }))
}

/** Its figures are discarded: code is being compiled, and the length of slices is being found. */
async function warmUp(contender: Contender, milliseconds: number): Promise<void> {
  const end = performance.now() + 2 * milliseconds
  do await contender.slice(milliseconds)
  while (performance.now() < end)
}

/** A row of the figure at `index`, with the medians of the figures after it, by their names. */
export function rowOf({ name, does, slices }: Measured, others: string[] = [], index = 0): Row {
  const figures = (at: number): number[] => slices.map(slice => slice[at] as number)
  const also = others.map((what, i) => [what, quantile(figures(index + 1 + i), 0.5)])
  const own = figures(index)
  return {
    name,
    does,
    ...spreadOf(own),
    slices: own,
    ...(others.length > 0 && { also: Object.fromEntries(also) }),
  }
}

export const rowsOf = (measured: Measured[], others?: string[]): Row[] =>
  measured.map(one => rowOf(one, others))

/** The counts that a slice may have. */
export interface Counts {
  /** All counts are multiples of it. Default: 1. */
  step?: number
  /** Default: no limit. */
  most?: number
}

/** A count grows by this factor at the most from slice to slice. */
const GROWTH = 100

/** A slice of as many operations as took the time that a slice has, in the slice before. */
export function counted(
  run: (count: number) => number[] | Promise<number[]>,
  { step = 1, most = Number.MAX_SAFE_INTEGER }: Counts = {},
): Contender['slice'] {
  let count = step
  return async milliseconds => {
    const start = performance.now()
    const figures = await run(count)
    const took = performance.now() - start
    const fitting = count * Math.min(GROWTH, milliseconds / took)
    count = Math.max(step, Math.floor(Math.min(fitting, most) / step) * step)
    return figures
  }
}

/** A slice whose figure is the median of single operations, which return their nanoseconds. */
export const each = (operation: () => number | Promise<number>, most?: number): Contender['slice'] =>
  counted(
    async count => {
      const took: number[] = []
      while (took.length < count) took.push(await operation())
      return [quantile(took, 0.5)]
    },
    { most },
  )

export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

export const nanoseconds = (): number => performance.now() * 1e6

/** A slice: the mean time of a repetition. V8 compiles the loop of each contender by itself. */
export const perRepetition = (loop: (repetitions: number) => void | Promise<void>): Contender['slice'] =>
  counted(async repetitions => {
    const start = nanoseconds()
    const done = loop(repetitions)
    if (done) await done
    return [(nanoseconds() - start) / repetitions]
  })

/** A slice: the mean time of a call. */
export const perCall = (call: () => void): Contender['slice'] =>
  perRepetition(repetitions => {
    for (let i = 0; i < repetitions; i++) call()
  })

/**
 * The same for calls whose clean-up needs the event loop, such as finalizers of ArrayBuffers. The
 * time includes one turn of the event loop per `every` calls.
 */
export const perCallWithTurns = (every: number, call: () => void): Contender['slice'] =>
  perRepetition(async repetitions => {
    for (let i = 1; i <= repetitions; i++) {
      call()
      if (i % every === 0) await turn()
    }
  })
