import { SharedMemory } from 'crossmem'
import { Ledger } from './ledger.js'

const WORDS_BYTES = 64
const MESSAGES = 2 ** 22

/** What those who use a queue have done, each by its number, in shared memory. */
export class Track implements Disposable {
  readonly ledger: Ledger
  readonly #memory: SharedMemory
  readonly #words: Int32Array

  constructor(memory: SharedMemory) {
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer, 0, WORDS_BYTES / 4)
    this.ledger = new Ledger(memory.bytes.subarray(WORDS_BYTES))
  }

  static create(): Track {
    return new Track(SharedMemory.create(null, WORDS_BYTES + Ledger.bytesFor(MESSAGES)))
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

  /** Counts messages that were put in or taken out. */
  count(number: number, messages: number): void {
    Atomics.add(this.#words, 1 + number, messages)
  }

  messagesOf(number: number): number {
    return this.#words[1 + number] as number
  }

  [Symbol.dispose](): void {
    this.#memory.close()
  }
}
