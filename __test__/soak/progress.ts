import { PATIENCE } from './actor.js'
import type { SoakBoard } from './board.js'
import { states } from './board.js'
import { type Lane, lanes } from './lanes.js'

/** A life in a lane that must get on. */
interface Runner {
  lane: Lane
  /** `undefined` in a lane without survivors: all its lives together. */
  seat: number | undefined
  completed: number
  /** Milliseconds without a completed turn, though no process was stopped. */
  idle: number
}

/**
 * In milliseconds: the most time that counts between two checks, since this process may have been
 * kept from checking.
 */
const LONGEST_GAP = 500

/** Watches that all runners get on. */
export class Progress {
  readonly #board: SoakBoard
  readonly #runners: Runner[]
  readonly #patience: number
  #checked = performance.now()

  constructor(
    board: SoakBoard,
    seats: readonly { seat: number; lanes: readonly number[] }[],
    patience = PATIENCE,
  ) {
    this.#board = board
    this.#patience = patience
    const survivors = seats.flatMap(({ seat, lanes: numbers }) =>
      numbers.map(number => ({ lane: lanes[number] as Lane, seat, completed: 0, idle: 0 })),
    )
    const others = lanes
      .filter(lane => !survivors.some(runner => runner.lane === lane))
      .map(lane => ({ lane, seat: undefined, completed: 0, idle: 0 }))
    this.#runners = [...survivors, ...others]
  }

  /** Runners that did not get on for too long. */
  check(isAnyStopped: boolean): string[] {
    const now = performance.now()
    const passed = isAnyStopped ? 0 : Math.min(LONGEST_GAP, now - this.#checked)
    this.#checked = now
    for (const runner of this.#runners) {
      const completed = this.#completed(runner)
      runner.idle = completed === runner.completed ? runner.idle + passed : 0
      runner.completed = completed
    }
    return this.#runners.filter(({ idle }) => idle > this.#patience).map(runner => this.#describe(runner))
  }

  /** Runners that have completed nothing since the beginning. */
  get idle(): string[] {
    return this.#runners
      .filter(({ completed }) => completed === 0)
      .map(({ lane, seat }) => `${lane.title}: ${nameOf(seat)} completed nothing`)
  }

  #completed({ lane, seat }: Runner): number {
    const page = seat === undefined ? this.#board.operations : this.#board.completed(seat)
    return page[lane.number] as number
  }

  #describe({ lane, seat, completed }: Runner): string {
    const isAt = (seat: number) => states[this.#board.doing(seat)[lane.number] as number]
    const others = Array.from({ length: 64 }, (_, other) => other)
      .filter(other => other !== seat && isAt(other) !== 'nothing')
      .map(other => `seat ${other} ${isAt(other)}`)
    const own = seat === undefined ? '' : `, ${isAt(seat)}`
    return `${lane.title}: ${nameOf(seat)} gets no further than ${completed}${own}; beside it: ${others.join(', ') || 'no life'}`
  }
}

const nameOf = (seat: number | undefined): string =>
  seat === undefined ? 'all together' : `survivor ${seat}`
