import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'

/** Something that is measured. */
export interface Contender<Sample = number> {
  name: string
  /** What exactly it does. */
  does: string
  /** Takes one sample: the nanoseconds of one operation, or several figures. */
  sample(): Sample | Promise<Sample>
  /** Samples in each turn, after one that is discarded. Default: 1, and none is discarded. */
  perTurn?: number
}

/** The result of a contender, in nanoseconds per operation. */
export interface Row {
  name: string
  does: string
  median: number
  /** The quartiles: half of the samples lie between them. */
  low: number
  high: number
  /** The 99th percentile. */
  p99: number
  samples: number
  /** Medians of other figures, by their name: nanoseconds per operation, too. */
  also?: Record<string, number>
}

export interface Turns {
  rounds: number
  /** Called before every round, to renew what the contenders use. */
  arrange?(): void
  /**
   * Pause before each turn, in milliseconds, so that garbage collection after the previous turn can
   * finish. Default: 0.
   */
  rest?: number
}

/**
 * Measures all contenders in turn, in several rounds and each time in another order, so that other
 * load of the machine affects all of them alike. The first sample of each contender is discarded,
 * and so is the first sample of a turn that has several.
 */
export async function inTurn(contenders: Contender[], turns: Turns): Promise<Row[]> {
  const taken = await samplesInTurn(contenders, turns)
  return [...taken].map(([contender, samples]) => summary(contender, samples))
}

/** The same for contenders whose samples consist of several figures. */
export async function samplesInTurn<Sample>(
  contenders: Contender<Sample>[],
  { rounds, arrange, rest = 0 }: Turns,
): Promise<Map<Contender<Sample>, Sample[]>> {
  const taken = new Map<Contender<Sample>, Sample[]>(contenders.map(contender => [contender, []]))
  arrange?.()
  for (const contender of contenders) await contender.sample()
  for (let round = 0; round < rounds; round++) {
    arrange?.()
    for (const contender of shuffled(contenders)) {
      await sleep(rest)
      if (contender.perTurn) await contender.sample()
      for (let n = 0; n < (contender.perTurn ?? 1); n++) taken.get(contender)?.push(await contender.sample())
    }
  }
  return taken
}

export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map(item => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

export function summary({ name, does }: Pick<Row, 'name' | 'does'>, samples: number[]): Row {
  const at = (share: number): number => quantile(samples, share)
  return {
    name,
    does,
    median: at(0.5),
    low: at(0.25),
    high: at(0.75),
    p99: at(0.99),
    samples: samples.length,
  }
}

export function quantile(samples: number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] as number
  const above = sorted[Math.ceil(at)] as number
  return below + (above - below) * (at - Math.floor(at))
}

export const nanoseconds = (): number => performance.now() * 1e6

/** A sample: the mean time of a repetition. V8 compiles the loop of each contender by itself. */
export const perRepetition = (repetitions: number, loop: (repetitions: number) => void) => (): number => {
  const start = nanoseconds()
  loop(repetitions)
  return (nanoseconds() - start) / repetitions
}

/** A sample: the mean time of a call. */
export const perCall = (calls: number, call: () => void): (() => number) =>
  perRepetition(calls, repetitions => {
    for (let i = 0; i < repetitions; i++) call()
  })

/**
 * The same for calls whose clean-up needs the event loop, such as finalizers of ArrayBuffers. The
 * time includes one turn of the event loop per `every` calls.
 */
export const perCallWithTurns =
  (calls: number, every: number, call: () => void) => async (): Promise<number> => {
    const start = nanoseconds()
    for (let i = 1; i <= calls; i++) {
      call()
      if (i % every === 0) await turn()
    }
    return (nanoseconds() - start) / calls
  }
