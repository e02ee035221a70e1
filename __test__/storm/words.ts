/** What a storm is about. */
export const kinds = ['Mutex', 'RLock', 'RwLock', 'Semaphore', 'Condition', 'Event', 'Barrier'] as const
export type Kind = (typeof kinds)[number]

/** What somebody who may be killed is at, with a kind. */
export const roles = ['nothing', 'waiting', 'holding', 'waking'] as const
export type Role = (typeof roles)[number]

/** Who lives in a storm. */
export interface Life {
  id: number
  /** Survivors are the first and the second one of a kind; others are killed. */
  survivor?: 0 | 1
  /** With all at once, or if it is synchronous with one after the other. */
  kinds: readonly Kind[]
  isSync: boolean
  memory: string
  /** Their names, of each kind. */
  objects: Record<Kind, string[]>
}

const AT_A_TIME = 32
const WORDS = 16

/** Words of the shared memory of a storm. */
export class StormWords {
  readonly #words: Int32Array

  constructor(buffer: ArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  get isOver(): boolean {
    return this.#words[0] !== 0
  }

  end(): void {
    this.#words[0] = 1
  }

  /** Of one kind: who is inside, a pair that only a writer sees different, and how many items there are to take. */
  of(kind: Kind): Int32Array {
    return this.#words.subarray(this.#at(kind), this.#at(kind) + 4)
  }

  /** Operations that the survivors of a kind completed. */
  completed(kind: Kind): Int32Array {
    return this.#words.subarray(this.#at(kind) + 4, this.#at(kind) + 6)
  }

  /** What somebody is at: a number of `roles`, by kind. */
  doing(id: number): Int32Array {
    const at = WORDS * (1 + kinds.length + (id % AT_A_TIME))
    return this.#words.subarray(at, at + kinds.length)
  }

  #at(kind: Kind): number {
    return WORDS * (1 + kinds.indexOf(kind))
  }
}
