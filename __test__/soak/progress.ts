import { PATIENCE } from './actor.js'
import type { SoakBoard } from './board.js'
import { states } from './board.js'
import { type Lane, lanes } from './lanes.js'

/** Somebody in a lane who must get on. */
interface Runner {
  lane: Lane
  /** Where nobody survives: everybody together. */
  seat: number | undefined
  completed: number
  /** Milliseconds in which nothing was completed, though nobody was stopped. */
  idle: number
}

/** Time that counts between two looks, at most: this process may have been kept from looking. In milliseconds. */
const LONGEST_LOOK = 500

/** Watches that all get on who must. */
export class Progress {
  readonly #board: SoakBoard
  readonly #runners: Runner[]
  readonly #patience: number
  #looked = performance.now()

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

  /** Who didn't get on for too long. */
  look(isAnyoneStopped: boolean): string[] {
    const now = performance.now()
    const passed = isAnyoneStopped ? 0 : Math.min(LONGEST_LOOK, now - this.#looked)
    this.#looked = now
    for (const runner of this.#runners) {
      const completed = this.#completed(runner)
      runner.idle = completed === runner.completed ? runner.idle + passed : 0
      runner.completed = completed
    }
    return this.#runners.filter(({ idle }) => idle > this.#patience).map(runner => this.#describe(runner))
  }

  /** Who has not completed anything since the beginning. */
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
    return `${lane.title}: ${nameOf(seat)} gets no further than ${completed}${own}; beside it: ${others.join(', ') || 'nobody'}`
  }
}

const nameOf = (seat: number | undefined): string =>
  seat === undefined ? 'all together' : `survivor ${seat}`
