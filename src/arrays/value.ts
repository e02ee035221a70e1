import { CrossmemError } from '../errors.js'
import {
  checkDType,
  type DType,
  dtypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'
import { checkMaker, openOrCreate, Segment } from '../objects/index.js'
import { bytesOf } from '../util/index.js'
import type { SyncWaitOptions } from '../wait/index.js'
import { AtomicCell } from './atomic-cell.js'
import {
  createData,
  DATA_OFFSET,
  DataHandle,
  type DataLayout,
  type DataOptions,
  layoutOf,
  readLayout,
} from './data-handle.js'
import { refusePromise, type UpdateContext } from './update.js'

/**
 * One number that processes share: Python's `multiprocessing.Value`. Each call is one atomic step, without a lock, that
 * every process sees in the same order. What takes more steps takes the lock: `update`, `withLock`. It survives its
 * holder, as a {@link Mutex} does.
 *
 * Values go in as they do into an NDArray of the dtype: integers that don't fit wrap around, fractions are cut off, int64
 * and uint64 give a bigint and take a safe integer, too; what is no number at all is ERR_INVALID_ARG. Complex numbers are
 * ERR_UNSUPPORTED, since no processor changes both parts at once; a {@link SharedArray} holds them.
 */
export class Value<D extends DType = DType> extends DataHandle<'Value', D> {
  readonly #cell: AtomicCell<D>

  private constructor(segment: Segment, layout: DataLayout<D>) {
    super(segment, 'Value', layout)
    this.#cell = new AtomicCell(layout.dtype, this.object.segment.buffer, DATA_OFFSET)
  }

  /** @internal */
  static attach<D extends DType = DType>(segment: Segment): Value<D> {
    checkMaker(segment, 'Value')
    const layout = readLayout(segment)
    if (layout.length === 1 && !isComplex(layout.dtype)) return new Value(segment, layout as DataLayout<D>)
    segment.close()
    throw new CrossmemError('ERR_CORRUPT', `"${segment.name}" isn't one number; unlink it and make it anew`)
  }

  /**
   * @param name `null` makes a random one
   * @param initial default: 0
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_UNSUPPORTED (a complex dtype), ERR_NO_SPACE,
   *   ERR_LIMIT
   */
  static create<D extends DType>(
    name: string | null,
    dtype: D,
    initial?: ScalarInput<D>,
    options?: DataOptions,
  ): Value<D> {
    const layout = layoutOf(checkNumber(dtype), 1, options)
    const { Storage, write } = dtypes[layout.dtype]
    const first = new Storage(1) as StorageOf<D>
    if (initial !== undefined) write(first, 0, initial)
    return Value.attach(createData('Value', name, layout, options, bytesOf(first)))
  }

  /**
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_CORRUPT, ERR_INVALID_NAME, ERR_PERMISSION,
   *   ERR_LIMIT
   */
  static open<D extends DType = DType>(name: string): Value<D> {
    return Value.attach(Segment.open(name, 'Value'))
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another dtype or `lock`
   */
  static openOrCreate<D extends DType>(
    name: string,
    dtype: D,
    initial?: ScalarInput<D>,
    options?: DataOptions,
  ): Value<D> {
    const wanted = layoutOf(checkNumber(dtype), 1, options)
    const value = openOrCreate(
      () => Value.open<D>(name),
      () => Value.create(name, dtype, initial, options),
    )
    return value.expect(wanted, 1)
  }

  /** The number. To change what depends on it, `value.value += 1` is two steps: use `add` or `update`. */
  get value(): ScalarOf<D> {
    return this.get()
  }
  set value(value: ScalarInput<D>) {
    this.set(value)
  }

  /** @throws {CrossmemError} ERR_CLOSED */
  get(): ScalarOf<D> {
    return this.#open.get()
  }

  /** @throws {CrossmemError} ERR_INVALID_ARG, ERR_CLOSED */
  set(value: ScalarInput<D>): void {
    this.#open.set(value)
  }

  /**
   * Adds. Integers wrap around; floats are rounded once.
   *
   * @returns the old value, as all of these do
   * @throws {CrossmemError} ERR_INVALID_ARG, ERR_UNSUPPORTED (bool), ERR_CLOSED
   */
  add(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.add(value)
  }

  /** Subtracts. @throws {CrossmemError} as `add` */
  sub(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.sub(value)
  }

  /** Keeps the bits that `value` has, too. @throws {CrossmemError} ERR_INVALID_ARG, ERR_UNSUPPORTED (floats), ERR_CLOSED */
  and(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.and(value)
  }

  /** Sets the bits that `value` has. @throws {CrossmemError} as `and` */
  or(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.or(value)
  }

  /** Turns over the bits that `value` has. @throws {CrossmemError} as `and` */
  xor(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.xor(value)
  }

  /** Stores `value`. @throws {CrossmemError} ERR_INVALID_ARG, ERR_CLOSED */
  exchange(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.exchange(value)
  }

  /**
   * Stores `replacement` if the value is `expected`, both taken as the dtype has them. Compares as
   * `Array.prototype.includes` does: NaN is NaN, and 0 is -0.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG, ERR_CLOSED
   */
  compareExchange(expected: ScalarInput<D>, replacement: ScalarInput<D>): ScalarOf<D> {
    return this.#open.compareExchange(expected, replacement)
  }

  /**
   * Stores what `change` makes of the value, while holding the lock: other updates and holders wait, in all processes. Calls
   * that take no lock (`set`, `add`…) don't: what they store while `change` runs is overwritten. Blocks this thread while
   * another one holds the lock. After an exception the value is as it was; if a holder had died (`ownerDied`), the next one
   * is then told again.
   *
   * @returns the new value as it was stored, wrapped or rounded
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_DEADLOCK (this thread holds the lock), ERR_INVALID_ARG (`change` is asynchronous
   *   or returns no number), ERR_UNSUPPORTED (made with `lock: false`), ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile)
   */
  update(
    change: (value: ScalarOf<D>, context: UpdateContext) => ScalarInput<D>,
    options?: SyncWaitOptions,
  ): ScalarOf<D> {
    return this.changeLocked(context => {
      const next = change(this.get(), context)
      refusePromise(next)
      return this.#open.set(next)
    }, options)
  }

  get #open(): AtomicCell<D> {
    void this.object
    return this.#cell
  }
}

const isComplex = (dtype: DType): boolean => dtypes[dtype].lanes === 2

function checkNumber<D extends DType>(dtype: D): D {
  if (!isComplex(checkDType(dtype))) return dtype
  throw new CrossmemError(
    'ERR_UNSUPPORTED',
    `a Value isn't ${dtype}, whose two numbers can't change at once; use a SharedArray of 1`,
  )
}
