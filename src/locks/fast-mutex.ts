import { ownerWord, segmentOffsets } from '../native/index.js'
import { type Segment, unlessHidden } from '../objects/index.js'

/** Where the fields of an object begin, in bytes. The first one names the mutex's holder. */
const { FIELDS } = segmentOffsets
const FREE = 0n
// Bound here: what is imported is read through accessors of two modules at each use.
const ourWord = ownerWord

/**
 * The mutex without contention: one compare-and-swap to take it and one to give it back, the same
 * that `mutex.rs` begins with, but without a call into the addon. Any other value of the word is
 * left to the addon.
 */
export class FastMutex {
  readonly #segment: Segment
  #word: BigUint64Array | undefined
  #isPossible = true

  constructor(segment: Segment) {
    this.#segment = segment
  }

  /** Takes the mutex if it is free, without waiters and without a dead holder. */
  take(): boolean {
    const me = ourWord()
    const word = this.#word ?? this.#findWord()
    return word?.length === 1 && me !== undefined && Atomics.compareExchange(word, 0, FREE, me) === FREE
  }

  /** `undefined` in runtimes without external buffers (Electron): the addon does it all there. */
  #findWord(): BigUint64Array | undefined {
    if (!this.#isPossible) return undefined
    this.#word = unlessHidden(() => new BigUint64Array(this.#segment.buffer, FIELDS, 1))
    this.#isPossible = this.#word !== undefined
    return this.#word
  }

  /** Gives the mutex back if this agent holds it and no agent waits for it. */
  give(): boolean {
    const me = ourWord()
    const word = this.#word
    // It is empty when its buffer was transferred.
    return word?.length === 1 && me !== undefined && Atomics.compareExchange(word, 0, me, FREE) === me
  }
}
