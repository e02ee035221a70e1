import { SharedMemory } from 'crossmem'
import { Ledger } from './ledger.js'
import { type Role, roles, streams } from './streams.js'

/** Messages of a queue in one storm, at most. */
const MESSAGES = 2 ** 17
const WORDS = 16
/** Lives at a time. */
const LIVES = 32
const COMPLETED = 1
const HANDS = COMPLETED + roles.length
const LEDGERS_AT = 4 * WORDS * (HANDS + LIVES)

/** What everyone in a storm notes, in shared memory. Words are by stream. */
export class StormBooks implements Disposable {
  readonly #memory: SharedMemory
  readonly #words: Int32Array
  readonly ledgers: readonly Ledger[]

  constructor(memory: SharedMemory) {
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer, 0, LEDGERS_AT / 4)
    const length = Ledger.bytesFor(MESSAGES)
    this.ledgers = streams.map((_, i) => {
      const at = LEDGERS_AT + i * length
      return new Ledger(memory.bytes.subarray(at, at + length))
    })
  }

  static create(): StormBooks {
    const length = LEDGERS_AT + streams.length * Ledger.bytesFor(MESSAGES)
    return new StormBooks(SharedMemory.create(null, length))
  }

  get name(): string {
    return this.#memory.name
  }

  get isOver(): boolean {
    return this.#words[0] !== 0
  }

  end(): void {
    this.#words[0] = 1
  }

  /** Operations of those who survive; where nobody does, of all. */
  completed(role: Role): Int32Array {
    return this.#page(COMPLETED + roles.indexOf(role))
  }

  /** How many messages may be in the hands of a life, from before it takes them until it is done with them. */
  hands(life: number): Int32Array {
    return this.#page(HANDS + (life % LIVES))
  }

  /** A word: how many sentences a life has said into its pipe. */
  said(life: number): Int32Array {
    const at = (HANDS + (life % LIVES)) * WORDS + streams.length
    return this.#words.subarray(at, at + 1)
  }

  [Symbol.dispose](): void {
    this.#memory.close()
  }

  #page(number: number): Int32Array {
    return this.#words.subarray(number * WORDS, number * WORDS + streams.length)
  }
}
