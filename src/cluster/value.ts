import { CrossmemError } from '../errors.js'
import {
  checkNumericDType,
  type DTypeInfo,
  type NumericDType,
  numericDTypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'
import { bytesOf, checkFunction, isThenable } from '../util/index.js'
import { type Home, RemoteObject } from './remote-object.js'
import { Script } from './script.js'

const VALUES = `
if be('Value') then redis.call('HSET', K, 'dtype', ARGV[3], 'number', ARGV[4]) end
local state = redis.call('HMGET', K, 'dtype', 'number')
if state[1] ~= ARGV[3] then error({ err = 'DTYPE ' .. state[1] }) end
`

const readScript = new Script('takes memory', `${VALUES} return state[2]`)

/** Stores the new bytes if the old ones are still there. Returns what was there. */
const replaceScript = new Script(
  'takes memory',
  `${VALUES}
if state[2] == ARGV[5] then redis.call('HSET', K, 'number', ARGV[6]) end
return state[2]`,
)

/** Stores the new bytes whatever is there. Returns what was there. */
const storeScript = new Script(
  'takes memory',
  `${VALUES} redis.call('HSET', K, 'number', ARGV[5]) return state[2]`,
)

/**
 * One number at a server. Each call is one atomic step, and all connections see these steps in the
 * same order. Numbers are converted as in a {@link Value} of the dtype.
 *
 * A step that depends on the number before is computed here and stored if nothing has changed
 * meanwhile; else it is computed again.
 */
export class RemoteValue<D extends NumericDType = 'float64'> extends RemoteObject {
  /** The type of the number. */
  readonly dtype: D
  readonly #info: DTypeInfo<D>
  readonly #storage: StorageOf<D>
  readonly #initial: Buffer
  /** What was there the last time: the first guess of the next step. */
  #guess: Buffer

  /** @internal */
  constructor(home: Home, name: string, dtype: D = 'float64' as D, initial?: ScalarInput<D>) {
    const checked = checkNumericDType(dtype) as D
    const info = numericDTypes[checked] as unknown as DTypeInfo<D>
    if (info.lanes === 2) {
      throw new CrossmemError(
        'ERR_UNSUPPORTED',
        `a value can't be ${checked}: store its two parts in two values`,
      )
    }
    super(home, name, [])
    this.dtype = checked
    this.#info = info
    this.#storage = new info.Storage(1) as StorageOf<D>
    this.#initial = initial === undefined ? Buffer.alloc(info.itemBytes) : this.#bytes(initial)
    this.#guess = this.#initial
  }

  /**
   * The number.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the value exists with another dtype. ERR_CLOSED: the
   *   handle is closed. ERR_WRONG_KIND: the name is another object's. ERR_DISCONNECTED: no server
   *   answers. ERR_NO_SPACE, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER: the server refuses the call
   */
  async get(): Promise<ScalarOf<D>> {
    return this.#seen(await this.#call(readScript))
  }

  /**
   * Stores `value`.
   *
   * @throws {CrossmemError} as `get`. ERR_INVALID_ARG: the dtype doesn't take `value`.
   *   ERR_DISCONNECTED: it may or may not have been stored
   */
  async set(value: ScalarInput<D>): Promise<void> {
    await this.exchange(value)
  }

  /**
   * Stores `value`.
   *
   * @returns the number before
   * @throws {CrossmemError} as `set`
   */
  async exchange(value: ScalarInput<D>): Promise<ScalarOf<D>> {
    const bytes = this.#bytes(value)
    const before = this.#seen(await this.#call(storeScript, bytes))
    this.#guess = bytes
    return before
  }

  /**
   * Stores `replacement` if the number equals `expected`, both converted to the dtype. Compares as
   * `Array.prototype.includes` does.
   *
   * @returns the number before, which equals `expected` if `replacement` was stored
   * @throws {CrossmemError} as `set`
   */
  async compareExchange(expected: ScalarInput<D>, replacement: ScalarInput<D>): Promise<ScalarOf<D>> {
    const accepted = [this.#number(this.#bytes(expected))]
    const bytes = this.#bytes(replacement)
    return (await this.#step(old => (accepted.includes(old) ? bytes : undefined))).before
  }

  /**
   * Adds `value`. Integers wrap around; floats are rounded once.
   *
   * @returns the number before
   * @throws {CrossmemError} as `set`. ERR_UNSUPPORTED: the dtype is bool
   */
  async add(value: ScalarInput<D>): Promise<ScalarOf<D>> {
    return this.#sum('add', value, 1)
  }

  /**
   * Subtracts `value`. Integers wrap around; floats are rounded once.
   *
   * @returns the number before
   * @throws {CrossmemError} as `add`
   */
  async sub(value: ScalarInput<D>): Promise<ScalarOf<D>> {
    return this.#sum('sub', value, -1)
  }

  /**
   * Stores what `change` returns for the number, which nobody has changed meanwhile; if somebody
   * has, `change` is called again.
   *
   * @returns the new number as it was stored
   * @throws {CrossmemError} as `set`. ERR_INVALID_ARG: `change` is no function, is asynchronous or
   *   returns no number
   * @throws what `change` throws; nothing is stored then
   */
  async update(change: (value: ScalarOf<D>) => ScalarInput<D>): Promise<ScalarOf<D>> {
    checkFunction('change', change)
    const { after } = await this.#step(old => {
      const next = change(old)
      if (isThenable(next))
        throw new CrossmemError('ERR_INVALID_ARG', 'update() needs a synchronous function')
      return this.#bytes(next)
    })
    return after
  }

  async #sum(what: string, value: ScalarInput<D>, sign: 1 | -1): Promise<ScalarOf<D>> {
    if (this.dtype === 'bool')
      throw new CrossmemError('ERR_UNSUPPORTED', `a bool has no ${what}(); use update()`)
    const by = this.#number(this.#bytes(value))
    const sum = (a: number | bigint, b: number | bigint) =>
      typeof a === 'bigint' ? a + BigInt(sign) * (b as bigint) : a + sign * (b as number)
    const { before } = await this.#step(old =>
      this.#bytes(sum(old as number | bigint, by as number | bigint) as ScalarInput<D>, true),
    )
    return before
  }

  /** Stores `next(old)`, for an old number that is still there then. */
  async #step(
    next: (old: ScalarOf<D>) => Buffer | undefined,
  ): Promise<{ before: ScalarOf<D>; after: ScalarOf<D> }> {
    for (;;) {
      const guess = this.#guess
      const old = this.#number(guess)
      const bytes = next(old)
      // Without a change, the guess has to be checked all the same.
      const found = await this.#call(replaceScript, guess, bytes ?? guess)
      if (!found.equals(guess)) {
        this.#guess = found
        continue
      }
      this.#guess = bytes ?? guess
      return { before: old, after: this.#number(this.#guess) }
    }
  }

  async #call(script: Script, ...args: Buffer[]): Promise<Buffer> {
    try {
      return (await this.call(script, this.dtype, this.#initial, ...args)) as Buffer
    } catch (error) {
      const [, dtype] = /DTYPE (\w+)/.exec((error as Error).message) ?? []
      if (!dtype) throw error
      throw new CrossmemError('ERR_INVALID_ARG', `"${this.name}" exists as ${dtype}, not ${this.dtype}`)
    }
  }

  #seen(found: Buffer): ScalarOf<D> {
    this.#guess = found
    return this.#number(found)
  }

  /** @param wraps whether an integer may be out of range: a sum of two that are not */
  #bytes(value: ScalarInput<D>, wraps = false): Buffer {
    if (wraps && typeof value === 'bigint') (this.#storage as unknown as BigInt64Array)[0] = value
    else if (wraps && this.#info.name.includes('int'))
      (this.#storage as unknown as Int32Array)[0] = value as number
    else this.#info.write(this.#storage, 0, value)
    return Buffer.from(bytesOf(this.#storage as unknown as ArrayBufferView))
  }

  #number(bytes: Buffer): ScalarOf<D> {
    if (bytes.length !== this.#info.itemBytes) {
      throw new CrossmemError('ERR_CORRUPT', `"${this.name}" has ${bytes.length} bytes; unlink it`)
    }
    bytesOf(this.#storage as unknown as ArrayBufferView).set(bytes)
    return this.#info.read(this.#storage, 0)
  }
}
