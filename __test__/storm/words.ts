import { SharedMemory } from 'crossmem'
import { Board } from '../helpers/board.js'

/** What a storm is about. */
export const kinds = ['Mutex', 'RLock', 'RwLock', 'Semaphore', 'Condition', 'Event', 'Barrier'] as const
export type Kind = (typeof kinds)[number]

/** What a life is doing with a kind of lock. */
export const roles = ['nothing', 'waiting', 'holding', 'waking'] as const
export type Role = (typeof roles)[number]

/** A process or thread that lives in a storm. */
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

/** Lives at a time. */
const AT_A_TIME = 32
const WORDS = 16

// Pages.
const KINDS = 1
const DOING = KINDS + kinds.length
const PAGES = DOING + AT_A_TIME

/** What all lives of a storm of locks note. */
export class StormWords extends Board {
  constructor(memory: SharedMemory) {
    super(memory, WORDS, PAGES)
  }

  static create(): StormWords {
    return new StormWords(SharedMemory.create(null, 4 * WORDS * PAGES))
  }

  /**
   * Of one kind: which life is inside, a pair that only a writer sees different, and how many items
   * there are to take.
   */
  of(kind: Kind): Int32Array {
    return this.page(KINDS + kinds.indexOf(kind), 4)
  }

  /** Operations that the two survivors of a kind completed. */
  completed(kind: Kind): Int32Array {
    return this.page(KINDS + kinds.indexOf(kind), 6).subarray(4)
  }

  /** What a life is doing: the index of a role, by kind. */
  doing(id: number): Int32Array {
    return this.page(DOING + (id % AT_A_TIME), kinds.length)
  }
}
