import { ownerWord } from '../native/index.js'
import { type Segment, unlessHidden } from '../objects/index.js'

/** Where an object's words begin: the core's `WORDS`. The first one says who has the lock. */
const WORDS = 64
const FREE = 0n

/**
 * The mutex as long as nobody else wants it: one compare-and-swap each way, the same that `mutex.rs` begins with, but
 * without a call into the addon. Whatever else the word says is the addon's to understand.
 */
export class FastMutex {
  readonly #segment: Segment
  #word: BigUint64Array | undefined
  #isPossible = true

  constructor(segment: Segment) {
    this.#segment = segment
  }

  /** Takes the lock if it is free and nobody waits or has died. */
  take(): boolean {
    const me = ownerWord()
    const word = this.#word ?? this.#look()
    return word !== undefined && me !== undefined && Atomics.compareExchange(word, 0, FREE, me) === FREE
  }

  /** Runtimes without external buffers (Electron) leave it all to the addon. */
  #look(): BigUint64Array | undefined {
    if (!this.#isPossible) return undefined
    this.#word = unlessHidden(() => new BigUint64Array(this.#segment.buffer, WORDS, 1))
    this.#isPossible = this.#word !== undefined
    return this.#word
  }

  /** Gives the lock back if it is ours and nobody waits or has died. */
  give(): boolean {
    const me = ownerWord()
    const word = this.#word
    return word !== undefined && me !== undefined && Atomics.compareExchange(word, 0, me, FREE) === me
  }
}
