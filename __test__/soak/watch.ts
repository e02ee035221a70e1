import { readdirSync, readFileSync } from 'node:fs'

/** What is watched of a process, and how much more of it there may be in the end. */
const bounds = {
  /** Resident memory, in bytes. */
  memory: 64 * 2 ** 20,
  descriptors: 16,
  mappings: 256,
  threads: 4,
} as const

export type Measure = keyof typeof bounds
export type Sample = Record<Measure, number>

const measures = Object.keys(bounds) as Measure[]
/** Samples that are kept; then every second one goes. */
const SAMPLES = 4096
/** Fewer than that say nothing. */
const ENOUGH = 24

/** Measures a process, where the system tells; it may be gone. */
export function measure(pid: number): Sample | undefined {
  if (process.platform !== 'linux') return undefined
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1])
    return {
      memory: field('VmRSS') * 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      mappings: readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').length,
      threads: field('Threads'),
    }
  } catch {
    return undefined
  }
}

/** What a process needs over time. */
export class Watch {
  readonly title: string
  #samples: Sample[] = []
  #every = 1
  #seen = 0

  constructor(title: string) {
    this.title = title
  }

  add(sample: Sample | undefined): void {
    if (!sample || this.#seen++ % this.#every !== 0) return
    this.#samples.push(sample)
    if (this.#samples.length < SAMPLES) return
    this.#samples = this.#samples.filter((_, i) => i % 2 === 0)
    this.#every *= 2
  }

  get last(): Sample | undefined {
    return this.#samples.at(-1)
  }

  /**
   * What it has in the last third of the time more than in the first one, after a quarter for
   * warming up: by their medians.
   */
  get growth(): Sample | undefined {
    const settled = this.#samples.slice(this.#samples.length >> 2)
    const third = Math.floor(settled.length / 3)
    if (settled.length < ENOUGH) return undefined
    const [first, last] = [settled.slice(0, third), settled.slice(-third)]
    const grown = measures.map(name => [name, medianOf(last, name) - medianOf(first, name)])
    return Object.fromEntries(grown) as Sample
  }

  /** What grew more than it may. */
  get flaws(): string[] {
    const { growth } = this
    if (!growth) return []
    return measures
      .filter(name => growth[name] > bounds[name])
      .map(name => `${this.title}: ${growth[name]} more of ${name} than before, ${bounds[name]} are allowed`)
  }
}

function medianOf(samples: readonly Sample[], name: Measure): number {
  const sorted = samples.map(sample => sample[name]).sort((a, b) => a - b)
  return sorted[sorted.length >> 1] as number
}
