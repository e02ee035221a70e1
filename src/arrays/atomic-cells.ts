import { CrossmemError } from '../errors.js'
import {
  type DTypeInfo,
  type NumericDType,
  numericDTypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'

/** `Atomics` takes no floats, so it sees every element as an unsigned integer of the same width. */
const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const

/** The bits of an element. 64 bits are a bigint, which `Atomics` treats alike. */
type Word = number

/**
 * Elements of shared memory that threads and processes change at the same time, without a lock,
 * each by its index. V8 compiles `Atomics` to the processor's atomic instructions, whatever memory
 * a typed array shows.
 */
export class AtomicCells<D extends NumericDType> {
  readonly #info: DTypeInfo<D>
  readonly #shared: Uint32Array
  /** A private element that turns bits into a JavaScript value and back. */
  readonly #own: StorageOf<D>
  readonly #ownBits: Uint32Array

  /** @param dtype not a complex one: no instruction changes its two parts at once */
  constructor(dtype: D, buffer: ArrayBuffer, byteOffset: number, length: number) {
    this.#info = numericDTypes[dtype]
    const { Storage, itemBytes } = this.#info
    const Bits = Words[itemBytes as keyof typeof Words]
    this.#own = new Storage(1)
    this.#ownBits = new Bits(this.#own.buffer as ArrayBuffer) as Uint32Array
    this.#shared = new Bits(buffer, byteOffset, length) as Uint32Array
  }

  get(i: number): ScalarOf<D> {
    return this.#read(Atomics.load(this.#shared, i))
  }

  /** Returns what was stored: `value` wrapped or rounded to the dtype. */
  set(i: number, value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    Atomics.store(this.#shared, i, bits)
    return this.#read(bits)
  }

  exchange(i: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#read(Atomics.exchange(this.#shared, i, this.#bitsOf(value)))
  }

  /** Compares as `Array.prototype.includes` does: NaN is NaN, and 0 is -0. */
  compareExchange(i: number, expected: ScalarInput<D>, replacement: ScalarInput<D>): ScalarOf<D> {
    const accepted = [this.#read(this.#bitsOf(expected))]
    const bits = this.#bitsOf(replacement)
    return this.#replace(i, old => (accepted.includes(old) ? bits : undefined))
  }

  add(i: number, value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    if (this.#isInteger()) return this.#read(Atomics.add(this.#shared, i, bits))
    this.#refuseBool('add')
    return this.#replace(i, old => this.#bitsOf(((old as number) + (value as number)) as ScalarInput<D>))
  }

  sub(i: number, value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    if (this.#isInteger()) return this.#read(Atomics.sub(this.#shared, i, bits))
    this.#refuseBool('sub')
    return this.#replace(i, old => this.#bitsOf(((old as number) - (value as number)) as ScalarInput<D>))
  }

  and(i: number, value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('and')
    return this.#read(Atomics.and(this.#shared, i, this.#bitsOf(value)))
  }

  or(i: number, value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('or')
    return this.#read(Atomics.or(this.#shared, i, this.#bitsOf(value)))
  }

  xor(i: number, value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('xor')
    return this.#read(Atomics.xor(this.#shared, i, this.#bitsOf(value)))
  }

  /**
   * Stores `next(old)`, and retries if the value changed in between. `undefined` stores nothing.
   */
  #replace(i: number, next: (old: ScalarOf<D>) => Word | undefined): ScalarOf<D> {
    for (;;) {
      const found = Atomics.load(this.#shared, i)
      const old = this.#read(found)
      const bits = next(old)
      if (bits === undefined) return old
      if (Atomics.compareExchange(this.#shared, i, found, bits) === found) return old
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
