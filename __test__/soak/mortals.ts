import { setTimeout as pause } from 'node:timers/promises'
import { below } from '../helpers/random.js'
import type { Life } from './actor.js'
import type { SoakBoard } from './board.js'
import { lanes } from './lanes.js'
import { AS_PLANNED, EXIT_CODE } from './planned-end.js'
import { Program } from './program.js'

/** Programs that wait for a life, so that a dead one has a successor at once. */
const SPARES = 4
/** The longest stop, in milliseconds. */
const STOP = 300
/** Intervals between kills that are remembered. */
const INTERVALS = 10_000

/** What was done to the mortals. */
export interface Toll {
  killed: number
  stopped: number
  /** Ended by themselves, by `process.exit` or an error. */
  ended: number
  /** By lane: mortals that were killed while they were at work in it. */
  atWork: number[]
}

/** Programs that are killed, stopped, or end by themselves; a new one takes the seat of each. */
export class Mortals {
  readonly toll: Toll = { killed: 0, stopped: 0, ended: 0, atWork: lanes.map(() => 0) }
  /** The programs that are stopped at this moment. */
  readonly stopped = new Set<Program>()
  readonly #board: SoakBoard
  readonly #plan: (seat: number) => Life
  readonly #report: (what: string) => void
  readonly #living = new Map<number, Program>()
  readonly #spares: Program[] = []
  readonly #killed = new WeakSet<Program>()
  readonly #deaths = new Set<Promise<void>>()
  readonly #intervals: number[] = []
  #lastKill = performance.now()
  #isOver = false

  constructor(board: SoakBoard, plan: (seat: number) => Life, report: (what: string) => void) {
    this.#board = board
    this.#plan = plan
    this.#report = report
  }

  start(seats: readonly number[]): void {
    for (let i = 0; i < SPARES; i++) this.#spares.push(new Program(this.#report))
    for (const seat of seats) this.#sit(seat)
  }

  /**
   * Kills a mortal that has begun, at any point. Waits until half of them have begun, since none
   * would live long enough otherwise.
   */
  async kill(): Promise<void> {
    for (; !this.#isOver; await pause(1)) {
      const candidates = [...this.#living.values()].filter(
        mortal => mortal.hasBegun && !mortal.isGone && !this.#killed.has(mortal),
      )
      if (candidates.length < this.#living.size / 2) continue
      return this.#kill(candidates[below(candidates.length)] as Program)
    }
  }

  /** Stops one, and lets it go on some time later. */
  async stop(): Promise<void> {
    const candidates = [...this.#living.values()].filter(({ isGone }) => !isGone)
    const mortal = candidates[below(candidates.length)]
    if (!mortal || this.#isOver) return
    mortal.signal('SIGSTOP')
    this.stopped.add(mortal)
    this.toll.stopped++
    await pause(1 + below(STOP))
    mortal.signal('SIGCONT')
    this.stopped.delete(mortal)
  }

  /** The median of the times between two kills, in milliseconds. */
  get interval(): number {
    return [...this.#intervals].sort((a, b) => a - b)[this.#intervals.length >> 1] ?? Number.NaN
  }

  /** Kills all of them, and waits until they are gone. */
  async end(): Promise<void> {
    this.#isOver = true
    for (const program of [...this.#living.values(), ...this.#spares]) {
      this.#killed.add(program)
      program.signal('SIGKILL')
    }
    await Promise.all([...this.#deaths, ...this.#spares.map(spare => spare.gone(this.#board))])
  }

  #kill(mortal: Program): void {
    const doing = this.#board.doing(mortal.life?.seat as number)
    const atWork = lanes.filter(({ number }) => doing[number] !== 0)
    mortal.signal('SIGKILL')
    this.#killed.add(mortal)
    for (const { number } of atWork) this.toll.atWork[number] = (this.toll.atWork[number] as number) + 1
    this.toll.killed++
    const now = performance.now()
    this.#intervals[this.toll.killed % INTERVALS] = now - this.#lastKill
    this.#lastKill = now
  }

  #sit(seat: number): void {
    if (this.#isOver) return
    const mortal = this.#spares.shift() ?? new Program(this.#report)
    this.#spares.push(new Program(this.#report))
    this.#living.set(seat, mortal)
    const death = this.#seeOut(mortal, seat)
    this.#deaths.add(death)
    void death.then(() => this.#deaths.delete(death))
    void mortal.live(this.#plan(seat))
  }

  async #seeOut(mortal: Program, seat: number): Promise<void> {
    const { code, signal, printed } = await mortal.gone(this.#board)
    this.stopped.delete(mortal)
    const isPlanned = code === EXIT_CODE || (code === 1 && printed.includes(AS_PLANNED))
    if (isPlanned) this.toll.ended++
    else if (!this.#killed.has(mortal) || (signal && signal !== 'SIGKILL')) {
      this.#report(`a process ended with ${code ?? signal}: ${printed}`)
    }
    this.#sit(seat)
  }
}
