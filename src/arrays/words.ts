import { nativeSegments } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import { bytesOf } from '../util/index.js'

/** `Atomics` takes no floats, so it sees every element as an unsigned integer of the same width. */
export const bitsOf = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const

/** The bits of an element. 64 bits are a bigint, which the operators below treat alike. */
export type Word = number

/** Atomic operations on words of shared memory, by their index. As those of `Atomics`. */
export interface Words {
  load(i: number): Word
  store(i: number, word: Word): void
  exchange(i: number, word: Word): Word
  compareExchange(i: number, expected: Word, replacement: Word): Word
  add(i: number, word: Word): Word
  sub(i: number, word: Word): Word
  and(i: number, word: Word): Word
  or(i: number, word: Word): Word
  xor(i: number, word: Word): Word
}

/**
 * Words that a typed array shows. V8 compiles `Atomics` to the processor's atomic instructions,
 * whatever memory that is.
 */
export class ShownWords implements Words {
  readonly #words: Uint32Array

  constructor(words: Uint32Array) {
    this.#words = words
  }

  load(i: number): Word {
    return Atomics.load(this.#words, i)
  }
  store(i: number, word: Word): void {
    Atomics.store(this.#words, i, word)
  }
  exchange(i: number, word: Word): Word {
    return Atomics.exchange(this.#words, i, word)
  }
  compareExchange(i: number, expected: Word, replacement: Word): Word {
    return Atomics.compareExchange(this.#words, i, expected, replacement)
  }
  add(i: number, word: Word): Word {
    return Atomics.add(this.#words, i, word)
  }
  sub(i: number, word: Word): Word {
    return Atomics.sub(this.#words, i, word)
  }
  and(i: number, word: Word): Word {
    return Atomics.and(this.#words, i, word)
  }
  or(i: number, word: Word): Word {
    return Atomics.or(this.#words, i, word)
  }
  xor(i: number, word: Word): Word {
    return Atomics.xor(this.#words, i, word)
  }
}

/** Words that the runtime can't show (Electron): each step is a call into the addon. */
export class HiddenWords implements Words {
  readonly #segment: Segment
  readonly #byteOffset: number
  /** What the word has to be, then what it was; and what it becomes. */
  readonly #pair: Uint32Array
  readonly #zero: Word
  readonly #expected: Uint8Array
  readonly #replacement: Uint8Array

  constructor(segment: Segment, byteOffset: number, Bits: (typeof bitsOf)[keyof typeof bitsOf]) {
    this.#segment = segment
    this.#byteOffset = byteOffset
    this.#pair = new Bits(2) as Uint32Array
    this.#zero = this.#pair[0] as Word
    this.#expected = bytesOf(this.#pair.subarray(0, 1))
    this.#replacement = bytesOf(this.#pair.subarray(1))
  }

  load(i: number): Word {
    // 0 becomes 0, and everything else stays.
    return this.compareExchange(i, this.#zero, this.#zero)
  }
  store(i: number, word: Word): void {
    this.exchange(i, word)
  }
  exchange(i: number, word: Word): Word {
    return this.#change(i, () => word)
  }
  compareExchange(i: number, expected: Word, replacement: Word): Word {
    this.#pair[0] = expected
    this.#pair[1] = replacement
    const offset = this.#byteOffset + i * this.#expected.byteLength
    nativeSegments.compareExchange(this.#segment.handle, offset, this.#expected, this.#replacement)
    return this.#pair[0] as Word
  }
  add(i: number, word: Word): Word {
    return this.#change(i, old => old + word)
  }
  sub(i: number, word: Word): Word {
    return this.#change(i, old => old - word)
  }
  and(i: number, word: Word): Word {
    return this.#change(i, old => old & word)
  }
  or(i: number, word: Word): Word {
    return this.#change(i, old => old | word)
  }
  xor(i: number, word: Word): Word {
    return this.#change(i, old => old ^ word)
  }

  #change(i: number, next: (old: Word) => Word): Word {
    for (let old = this.load(i); ; ) {
      const found = this.compareExchange(i, old, next(old))
      if (found === old) return old
      old = found
    }
  }
}
