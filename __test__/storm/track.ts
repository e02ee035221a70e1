import { SharedMemory } from 'crossmem'
import { Board } from '../helpers/board.js'
import { Ledger } from './ledger.js'

const WORDS = 16
const LEDGER_BYTES = Ledger.bytesFor(2 ** 22)

/** What the users of a queue have done, each by its number. */
export class Track extends Board {
  readonly ledger: Ledger

  constructor(memory: SharedMemory) {
    super(memory, WORDS, 1)
    this.ledger = new Ledger(this.part(0, LEDGER_BYTES))
  }

  static create(): Track {
    return new Track(SharedMemory.create(null, 4 * WORDS + LEDGER_BYTES))
  }

  /** Counts messages that were put in or taken out. */
  count(number: number, messages: number): void {
    Atomics.add(this.words, 1 + number, messages)
  }

  messagesOf(number: number): number {
    return this.words[1 + number] as number
  }
}
