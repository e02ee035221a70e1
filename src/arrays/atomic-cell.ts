import { CrossmemError } from '../errors.js'
import {
  type DType,
  type DTypeInfo,
  dtypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'

/** `Atomics` knows no floats: every element is seen as an unsigned integer of its width. */
const Words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const

/** Bits of an element. 64 of them are a bigint, which `Atomics` treats alike. */
type Word = number

/**
 * One element of shared memory that threads and processes change at the same time, without a lock: V8 compiles `Atomics` to
 * the processor's atomic instructions, whatever memory is under the typed array.
 */
export class AtomicCell<D extends DType> {
  readonly #info: DTypeInfo<D>
  readonly #shared: Uint32Array
  /** An element of our own, on its way between its bits and a JavaScript value. */
  readonly #own: StorageOf<D>
  readonly #ownBits: Uint32Array

  /** @param dtype anything but a complex one, whose two numbers no instruction changes at once */
  constructor(dtype: D, buffer: ArrayBuffer, byteOffset: number) {
    this.#info = dtypes[dtype]
    const { Storage, itemBytes } = this.#info
    const Bits = Words[itemBytes as keyof typeof Words]
    this.#own = new Storage(1)
    this.#ownBits = new Bits(this.#own.buffer as ArrayBuffer) as Uint32Array
    this.#shared = new Bits(buffer, byteOffset, 1) as Uint32Array
  }

  get(): ScalarOf<D> {
    return this.#read(Atomics.load(this.#shared, 0))
  }

  /** Returns what was stored: `value` as the dtype has it. */
  set(value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    Atomics.store(this.#shared, 0, bits)
    return this.#read(bits)
  }

  exchange(value: ScalarInput<D>): ScalarOf<D> {
    return this.#read(Atomics.exchange(this.#shared, 0, this.#bitsOf(value)))
  }

  /** Compares as `Array.prototype.includes` does: NaN is NaN, and 0 is -0. */
  compareExchange(expected: ScalarInput<D>, replacement: ScalarInput<D>): ScalarOf<D> {
    const wanted = [this.#read(this.#bitsOf(expected))]
    const bits = this.#bitsOf(replacement)
    return this.#replace(old => (wanted.includes(old) ? bits : undefined))
  }

  add(value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    if (this.#isInteger()) return this.#read(Atomics.add(this.#shared, 0, bits))
    this.#refuseBool('add')
    return this.#replace(old => this.#bitsOf(((old as number) + (value as number)) as ScalarInput<D>))
  }

  sub(value: ScalarInput<D>): ScalarOf<D> {
    const bits = this.#bitsOf(value)
    if (this.#isInteger()) return this.#read(Atomics.sub(this.#shared, 0, bits))
    this.#refuseBool('sub')
    return this.#replace(old => this.#bitsOf(((old as number) - (value as number)) as ScalarInput<D>))
  }

  and(value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('and')
    return this.#read(Atomics.and(this.#shared, 0, this.#bitsOf(value)))
  }

  or(value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('or')
    return this.#read(Atomics.or(this.#shared, 0, this.#bitsOf(value)))
  }

  xor(value: ScalarInput<D>): ScalarOf<D> {
    this.#refuseFloat('xor')
    return this.#read(Atomics.xor(this.#shared, 0, this.#bitsOf(value)))
  }

  /** Stores what `next` makes of the old value, again when somebody was faster; `undefined` leaves it. */
  #replace(next: (old: ScalarOf<D>) => Word | undefined): ScalarOf<D> {
    for (;;) {
      const found = Atomics.load(this.#shared, 0)
      const old = this.#read(found)
      const bits = next(old)
      if (bits === undefined) return old
      if (Atomics.compareExchange(this.#shared, 0, found, bits) === found) return old
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
    if (this.#info.name === 'bool') throw unsupported(operation, 'true and false', 'and, or, xor')
  }

  #refuseFloat(operation: string): void {
    if (this.#info.name.startsWith('float')) throw unsupported(operation, 'floats', 'add, sub')
  }
}

const unsupported = (operation: string, what: string, instead: string): CrossmemError =>
  new CrossmemError('ERR_UNSUPPORTED', `there is no ${operation} of ${what}; they have ${instead}, update()`)
