import { type Below, random } from '../helpers/random.js'
import { say } from '../processes/parent.js'
import type { SoakBoard, State } from './board.js'
import { states } from './board.js'
import type { Lane } from './lanes.js'

/** In milliseconds: longer than any call takes while no process is stopped. */
export const PATIENCE = 30_000

/** How a process or thread in a soak lives. */
export interface Life {
  seat: number
  /** The number, from 0, of a life that is never killed. */
  survivor?: number
  /** It waits on its thread, in one lane after the other; else in all of them at once. */
  isSync: boolean
  /** Numbers of its lanes. */
  lanes: readonly number[]
  board: string
  /** Names of the objects of a lane, by its kind. */
  objects: Record<string, readonly string[]>
  /** Begins the names of what is made on the way. */
  word: string
  /** The file to lock. */
  file: string
  /** It ends by itself, in the midst of its work. In milliseconds. */
  end?: { way: 'exit' | 'throw' | 'reject'; after: number }
  /** A thread in the same process, which is terminated and started anew without end. */
  thread?: Life
  /** What it is to do wrong, so that it is seen that this is found. */
  fault?: string
}

/** A thread in a soak, and where it notes what it does. */
export class Actor {
  readonly id: number
  readonly below: Below
  readonly board: SoakBoard
  readonly life: Life

  constructor(life: Life, board: SoakBoard) {
    this.life = life
    this.board = board
    this.id = board.newLife()
    this.below = random(this.id)
  }

  get isSync(): boolean {
    return this.life.isSync
  }

  objectsOf({ kind }: Lane): readonly string[] {
    return this.life.objects[kind] ?? []
  }

  now({ number }: Lane, state: State): void {
    Atomics.store(this.board.doing(this.life.seat), number, states.indexOf(state))
  }

  /** Notes that it learnt of a death. */
  told({ number }: Lane): void {
    Atomics.add(this.board.told, number, 1)
  }

  /** Notes what a turn completed. */
  completed({ number }: Lane, operations: number, milliseconds: number): void {
    const { seat } = this.life
    const longest = this.board.longest(seat)
    longest[number] = Math.max(longest[number] as number, Math.round(1000 * milliseconds))
    Atomics.add(this.board.completed(seat), number, operations)
    Atomics.add(this.board.operations, number, operations)
  }

  report({ title }: Lane, what: string): void {
    say(`${title}, life ${this.id}: ${what}`)
  }
}

/** Something that is done over and over; a turn tells how many operations it completed. */
export interface Deed {
  turn(): Promise<number>
  /** Goes on until its queue has ended. */
  readonly endsWithQueue?: boolean
  close(): void
}
