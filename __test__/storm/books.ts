import { SharedMemory } from 'crossmem'
import { Board } from '../helpers/board.js'
import { Ledger } from './ledger.js'
import { type Role, roles, streams } from './streams.js'

/** Messages of a queue in one storm, at most. */
const LEDGER_BYTES = Ledger.bytesFor(2 ** 17)
const WORDS = 16
/** Lives at a time. */
const LIVES = 32

// Pages.
const COMPLETED = 1
const HANDS = COMPLETED + roles.length
const PAGES = HANDS + LIVES

/** What all lives of a storm of queues note. Words are by stream. */
export class StormBooks extends Board {
  readonly ledgers: readonly Ledger[]

  constructor(memory: SharedMemory) {
    super(memory, WORDS, PAGES)
    this.ledgers = streams.map((_, i) => new Ledger(this.part(i, LEDGER_BYTES)))
  }

  static create(): StormBooks {
    return new StormBooks(SharedMemory.create(null, 4 * WORDS * PAGES + streams.length * LEDGER_BYTES))
  }

  /** Operations of the survivors; where a stream has none, of all lives. */
  completed(role: Role): Int32Array {
    return this.page(COMPLETED + roles.indexOf(role), streams.length)
  }

  /** How many messages a life may hold, from before it takes them until it is done with them. */
  hands(life: number): Int32Array {
    return this.page(HANDS + (life % LIVES), streams.length)
  }

  /** One word: how many sentences a life has sent through its pipe. */
  said(life: number): Int32Array {
    return this.page(HANDS + (life % LIVES), streams.length + 1).subarray(streams.length)
  }
}
