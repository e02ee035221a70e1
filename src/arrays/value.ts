import { CrossmemError } from '../errors.js'
import {
  checkNumericDType,
  type NumericCode,
  type NumericDType,
  type NumericDTypeOf,
  numericDTypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'
import { checkMaker, openOrCreate, Segment, whenCreated } from '../objects/index.js'
import { bytesOf, checkFunction } from '../util/index.js'
import type { SyncWaitOptions, WaitOptions } from '../wait/index.js'
import { AtomicCells } from './atomic-cells.js'
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
 * One number that processes share: Python's `multiprocessing.Value`. Each call is one atomic step
 * without a lock, and all processes see these steps in the same order. A change of more than one
 * step needs the lock: use `update` or `withLock`. The lock survives its holder as a {@link Mutex}
 * does.
 *
 * Numbers are converted as in an NDArray of the dtype: integers that don't fit wrap around, and
 * fractions are cut off. int64 and uint64 are read as a bigint; they take a safe integer, too.
 * Complex dtypes are refused, since no processor changes both parts at once; use a
 * {@link SharedArray}.
 *
 * @example
 * ```js
 * import { Value } from 'crossmem'
 *
 * const counter = Value.create(null, 'int32', 40)
 * console.log(counter.add(2), counter.get()) // 40 42
 * console.log(counter.compareExchange(42, 7), counter.value) // 42 7
 * console.log(counter.update(value => value * 2)) // 14
 * counter.close()
 * ```
 */
export class Value<D extends NumericDType = NumericDType> extends DataHandle<'Value', D> {
  readonly #cells: AtomicCells<D>

  private constructor(segment: Segment, layout: DataLayout<D>) {
    super(segment, 'Value', layout)
    this.#cells = new AtomicCells(layout.dtype, this.object.segment, DATA_OFFSET, 1)
  }

  /** @internal */
  static attach<D extends NumericDType = NumericDType>(segment: Segment): Value<D> {
    checkMaker(segment, 'Value')
    const layout = readLayout(segment)
    if (layout.length === 1 && !isComplex(layout.dtype)) return new Value(segment, layout as DataLayout<D>)
    segment.close()
    throw new CrossmemError(
      'ERR_CORRUPT',
      `"${segment.name}" doesn't hold exactly one number; unlink it and create it again`,
    )
  }

  /**
   * Creates a value.
   *
   * @param name `null` picks a random name
   * @param dtype the type of the number
   * @param initial default: 0
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_UNSUPPORTED: the dtype is complex. ERR_NO_SPACE: shared memory is
   *   full. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static create<D extends NumericDType>(
    name: string | null,
    dtype: D,
    initial?: ScalarInput<D>,
    options?: DataOptions,
  ): Value<D>
  /** As above, with a type code such as Python's `'i'`. */
  static create<C extends NumericCode>(
    name: string | null,
    code: C,
    initial?: ScalarInput<NumericDTypeOf<C>>,
    options?: DataOptions,
  ): Value<NumericDTypeOf<C>>
  static create(
    name: string | null,
    dtype: string,
    initial?: ScalarInput<NumericDType>,
    options?: DataOptions,
  ): Value {
    const layout = layoutOf(checkNumber(dtype), 1, options)
    return Value.attach(createData('Value', name, layout, options, bytesOfNumber(layout.dtype, initial)))
  }

  /**
   * Opens a value that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   a Value. ERR_WRONG_DOMAIN: another domain made the object. ERR_CORRUPT: its header was
   *   overwritten. ERR_INVALID_NAME: the name is refused. ERR_PERMISSION: the object is another
   *   user's. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static open<D extends NumericDType = NumericDType>(name: string): Value<D> {
    return Value.attach(Segment.open(name, 'Value'))
  }

  /**
   * Opens the value once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated<D extends NumericDType = NumericDType>(
    name: string,
    options?: WaitOptions,
  ): Promise<Value<D>> {
    return whenCreated(name, () => Value.open<D>(name), options)
  }

  /**
   * Opens the value if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another dtype or `lock`
   */
  static openOrCreate<D extends NumericDType>(
    name: string,
    dtype: D,
    initial?: ScalarInput<D>,
    options?: DataOptions,
  ): Value<D>
  /** As above, with a type code such as Python's `'i'`. */
  static openOrCreate<C extends NumericCode>(
    name: string,
    code: C,
    initial?: ScalarInput<NumericDTypeOf<C>>,
    options?: DataOptions,
  ): Value<NumericDTypeOf<C>>
  static openOrCreate(
    name: string,
    dtype: string,
    initial?: ScalarInput<NumericDType>,
    options?: DataOptions,
  ): Value {
    const layout = layoutOf(checkNumber(dtype), 1, options)
    bytesOfNumber(layout.dtype, initial)
    const value = openOrCreate(
      options,
      () => Value.open(name),
      () => Value.create(name, layout.dtype, initial, options),
    )
    return value.expect(layout, 1)
  }

  /**
   * The number, as `get` and `set` have it. `value.value += 1` is two steps, between which another
   * process may change the number: use `add` or `update`.
   *
   * @throws {CrossmemError} as `get` and `set`
   */
  get value(): ScalarOf<D> {
    return this.get()
  }
  set value(value: ScalarInput<D>) {
    this.set(value)
  }

  /**
   * Reads the number.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get(): ScalarOf<D> {
    return this.#open.get(0)
  }

  /**
   * Stores the number.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the dtype doesn't take `value`. ERR_CLOSED: the
   *   handle is closed
   */
  set(value: ScalarInput<D>): void {
    this.#open.set(0, value)
  }

  /**
   * Adds `value`. Integers wrap around; floats are rounded once.
   *
   * @returns the number before
   * @throws {CrossmemError} ERR_INVALID_ARG: the dtype doesn't take `value`. ERR_UNSUPPORTED:
   *   the dtype is bool. ERR_CLOSED: the handle is closed
   */
  add(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.add(0, value)
  }

  /**
   * Subtracts `value`. Integers wrap around; floats are rounded once.
   *
   * @returns the number before
   * @throws {CrossmemError} as `add`
   */
  sub(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.sub(0, value)
  }

  /**
   * Clears the bits that `value` doesn't have.
   *
   * @returns the number before
   * @throws {CrossmemError} ERR_INVALID_ARG: the dtype doesn't take `value`. ERR_UNSUPPORTED:
   *   the dtype is a float. ERR_CLOSED: the handle is closed
   */
  and(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.and(0, value)
  }

  /**
   * Sets the bits that `value` has.
   *
   * @returns the number before
   * @throws {CrossmemError} as `and`
   */
  or(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.or(0, value)
  }

  /**
   * Inverts the bits that `value` has.
   *
   * @returns the number before
   * @throws {CrossmemError} as `and`
   */
  xor(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.xor(0, value)
  }

  /**
   * Stores `value`.
   *
   * @returns the number before
   * @throws {CrossmemError} as `set`
   */
  exchange(value: ScalarInput<D>): ScalarOf<D> {
    return this.#open.exchange(0, value)
  }

  /**
   * Stores `replacement` if the number equals `expected`, both converted to the dtype. Compares as
   * `Array.prototype.includes` does: NaN equals NaN, and 0 equals -0.
   *
   * @returns the number before, which equals `expected` if `replacement` was stored
   * @throws {CrossmemError} as `set`
   */
  compareExchange(expected: ScalarInput<D>, replacement: ScalarInput<D>): ScalarOf<D> {
    return this.#open.compareExchange(0, expected, replacement)
  }

  /**
   * Stores what `change` returns for the number, with the lock held: all other updates and holders,
   * in all processes, wait. Calls that take no lock (`set`, `add`…) don't wait, and their changes
   * while `change` runs are overwritten. Blocks this thread while another agent holds the lock.
   *
   * If `change` throws, the number stays as it was. If a holder had died (`ownerDied`), the next
   * holder is then told again.
   *
   * @returns the new number as it was stored, wrapped or rounded
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_DEADLOCK: this thread holds
   *   the lock. ERR_INVALID_ARG: `change` is no function, is asynchronous or returns no number, or
   *   an option is refused. ERR_UNSUPPORTED: the value was created with `lock: false`. ERR_CLOSED:
   *   the handle is closed. ERR_NOT_FOUND: the object was unlinked during the wait
   * @throws what `change` throws
   */
  update(
    change: (value: ScalarOf<D>, context: UpdateContext) => ScalarInput<D>,
    options?: SyncWaitOptions,
  ): ScalarOf<D> {
    checkFunction('change', change)
    return this.changeLocked(context => {
      const next = change(this.get(), context)
      refusePromise(next)
      return this.#open.set(0, next)
    }, options)
  }

  /** @internal */
  protected override state(): object {
    return { ...super.state(), value: this.get() }
  }

  get #open(): AtomicCells<D> {
    void this.object
    return this.#cells
  }
}

const isComplex = (dtype: NumericDType): boolean => numericDTypes[dtype].lanes === 2

function bytesOfNumber<D extends NumericDType>(dtype: D, number: ScalarInput<D> | undefined): Uint8Array {
  const { Storage, write } = numericDTypes[dtype]
  const storage = new Storage(1) as StorageOf<D>
  if (number !== undefined) write(storage, 0, number)
  return bytesOf(storage)
}

function checkNumber(given: string): NumericDType {
  const dtype = checkNumericDType(given)
  if (!isComplex(dtype)) return dtype
  throw new CrossmemError(
    'ERR_UNSUPPORTED',
    `a Value can't be ${dtype}: its two parts can't change at once; use a SharedArray of length 1`,
  )
}
