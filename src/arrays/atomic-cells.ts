import { CrossmemError } from '../errors.js'
import {
  type DTypeInfo,
  type NumericDType,
  numericDTypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'
import type { Segment } from '../objects/index.js'
import { bitsOf, HiddenWords, ShownWords, type Word, type Words } from './words.js'

/**
 * Elements of shared memory that threads and processes change at the same time, without a lock,
 * each by its index.
 */
export class AtomicCells<D extends NumericDType> {
  readonly #info: DTypeInfo<D>
  readonly #words: Words
  /** A private element that turns bits into a JavaScript value and back. */
  readonly #own: StorageOf<D>
  readonly #ownBits: Uint32Array

  /** @param dtype not a complex one: no instruction changes its two parts at once */
  constructor(dtype: D, segment: Segment, byteOffset: number, length: number) {
    this.#info = numericDTypes[dtype]
    const { Storage, itemBytes } = this.#info
    const Bits = bitsOf[itemBytes as keyof typeof bitsOf]
    this.#own = new Storage(1)
    this.#ownBits = new Bits(this.#own.buffer as ArrayBuffer) as Uint32Array
    const buffer = segment.bufferIfAny
    this.#words = buffer
      ? new ShownWords(new Bits(buffer, byteOffset, length) as Uint32Array)
      : new HiddenWords(segment, byteOffset, Bits)
  }

  get(i: number): ScalarOf<D> {
    return this.#read(this.#words.load(i))
  }

  /** Returns what was stored: `value` wrapped or rounded to the dtype. */
  set(i: number, value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    this.#words.store(i, bits)
    return this.#read(bits)
  }

  exchange(i: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#read(this.#words.exchange(i, this.#bitsOf(value)))
  }

  /** Compares as `Array.prototype.includes` does: NaN is NaN, and 0 is -0. */
  compareExchange(i: number, expected: ScalarInput<D>, replacement: ScalarInput<D>): ScalarOf<D> {
    const accepted = [this.#read(this.#bitsOf(expected))]
    const bits = this.#bitsOf(replacement)
    return this.#replace(i, old => (accepted.includes(old) ? bits : undefined))
  }

  add(i: number, value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    if (this.#isInteger()) return this.#read(this.#words.add(i, bits))
    this.#refuseBool('add')
    return this.#replace(i, old => this.#bitsOf(((old as number) + (value as number)) as ScalarInput<D>))
  }

  sub(i: number, value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    if (this.#isInteger()) return this.#read(this.#words.sub(i, bits))
    this.#refuseBool('sub')
    return this.#replace(i, old => this.#bitsOf(((old as number) - (value as number)) as ScalarInput<D>))
  }

  and(i: number, value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('and')
    return this.#read(this.#words.and(i, this.#bitsOf(value)))
  }

  or(i: number, value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('or')
    return this.#read(this.#words.or(i, this.#bitsOf(value)))
  }

  xor(i: number, value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('xor')
    return this.#read(this.#words.xor(i, this.#bitsOf(value)))
  }

  /**
   * Stores `next(old)`, and retries if the value changed in between. `undefined` stores nothing.
   */
  #replace(i: number, next: (old: ScalarOf<D>) => Word | undefined): ScalarOf<D> {
    for (;;) {
      const found = this.#words.load(i)
      const old = this.#read(found)
      const bits = next(old)
      if (bits === undefined) return old
      if (this.#words.compareExchange(i, found, bits) === found) return old
    }
  }

  #bitsOf(value: ScalarInput<D>): Word {
    this.#info.write(this.#own, 0, value)
    return this.#ownBits[0] as Word
  }

  #read(bits: Word): ScalarOf<D> {
    this.#ownBits[0] = bits
    return this.#info.read(this.#own, 0)
  }

  #isInteger(): boolean {
    return this.#info.name.includes('int')
  }

  #refuseBool(operation: string): void {
    if (this.#info.name === 'bool') throw unsupported(operation, 'a bool', 'and, or, xor')
  }

  #refuseFloat(operation: string): void {
    if (this.#info.name.startsWith('float')) throw unsupported(operation, 'a float', 'add, sub')
  }
}

const unsupported = (operation: string, what: string, instead: string): CrossmemError =>
  new CrossmemError('ERR_UNSUPPORTED', `${what} has no ${operation}(); use ${instead} or update()`)
