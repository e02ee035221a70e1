import { createHash } from 'node:crypto'
import { type BoundCodec, type CodecOption, codecFor, codecOf } from '../codecs/index.js'
import { CrossmemError, hasCode } from '../errors.js'
import { Condition, type Guard } from '../locks/index.js'
import { nativeLocks, nativeSegments } from '../native/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  existsAs,
  Handle,
  openOrCreate,
  Segment,
  type SharedObject,
  type WaitKind,
  whenCreated,
} from '../objects/index.js'
import {
  checkBoolean,
  checkCount,
  checkFunction,
  checkOptions,
  isThenable,
  type OptionNames,
  show,
} from '../util/index.js'
import { checkWait, throwIfAborted, WAIT_OPTIONS, type WaitOptions } from '../wait/index.js'
import { locks } from '../web-locks/index.js'
import { BEFORE_KEYS, BEHIND_KEYS, behind, keyBytes, type MapKey, prefixBytes } from './keys.js'
import { loadLmdb } from './lmdb.js'
import { numbersBytes } from './numbers.js'
import { expiresAt, idOf } from './record.js'
import { MapStore } from './store.js'
import { Values } from './values.js'

/** Options of a map. */
export interface SharedMapOptions<T> extends CreateOptions {
  /** How values become bytes. All processes use the same. Default: 'msgpack'. */
  codec?: CodecOption<T>
  /** How long an entry lives unless `set` says otherwise, in milliseconds. Default: for ever. */
  ttl?: number
  /**
   * The most bytes that entries take, counted in pages of 4096: beyond that, the least recently
   * used entries are thrown out. From 65536 up. Default: as much as there is memory.
   */
  maxBytes?: number
}

/** Options of a change. */
export interface MapSetOptions extends WaitOptions {
  /**
   * How long the entry lives, in milliseconds; `Infinity`: for ever. Default: the map's `ttl`.
   */
  ttl?: number
}

/** Which entries, and in which order. */
export interface MapRange {
  /** The first key. Default: the first of all. */
  start?: MapKey
  /** The key behind the last one, which is left out itself. Default: to the end. */
  end?: MapKey
  /** Only keys that are strings with this beginning, or lists with these first parts. */
  prefix?: MapKey
  /** The last key first. Default: false. */
  reverse?: boolean
  /** So many entries at most. Default: all. */
  limit?: number
}

const OPEN_OPTIONS: OptionNames<Pick<SharedMapOptions<unknown>, 'codec'>> = { codec: true }
const MAP_OPTIONS: OptionNames<SharedMapOptions<unknown>> = {
  ...CREATE_OPTIONS,
  ...OPEN_OPTIONS,
  ttl: true,
  maxBytes: true,
}
const SET_OPTIONS: OptionNames<MapSetOptions> = { ...WAIT_OPTIONS, ttl: true }
const RANGE_OPTIONS: OptionNames<MapRange> = {
  start: true,
  end: true,
  prefix: true,
  reverse: true,
  limit: true,
}

const mapWaits: WaitKind = { disarm: [nativeLocks.giveUpLock, nativeLocks.giveUpCondition] }

/** So many entries are read at a time: between two reads, no pages are kept from writers. */
const AT_ONCE = 256
/** A writer that dies between its commit and its word is found out so soon, in milliseconds. */
const DEATH_NOTICED = 1000
const LONGEST_TTL = 2 ** 52

/** The databases of this environment. */
const stores = new WeakMap<SharedObject, MapStore>()

/**
 * A map that processes share without a server: a dict for caches and sessions. Reads take no lock
 * and see whole values, whatever process dies. Writes are transactions, one after the other. The
 * package lmdb has the entries, in a file in shared memory; install it beside crossmem.
 *
 * Keys are strings, numbers, or lists of them, in this order: numbers by value, strings by code
 * points, lists part by part. Values are those of structured clone, as in a queue, but for
 * `undefined`.
 *
 * @example
 * ```js
 * import { SharedMap } from 'crossmem/map'
 *
 * const sessions = SharedMap.create(null, { ttl: 60_000 })
 * await sessions.set('ada', { visits: 1 })
 * await sessions.update('ada', session => ({ visits: session.visits + 1 }))
 * console.log(sessions.get('ada'), sessions.has('bob'), sessions.size) // { visits: 2 } false 1
 * sessions.close()
 * ```
 */
export class SharedMap<T = unknown> extends Handle<'SharedMap'> {
  readonly #gate: Condition
  readonly #store: MapStore
  readonly #codec: BoundCodec<T>
  readonly #values: Values<T>
  /** Codec, ttl, most bytes, cells, as the header has them. */
  readonly #params: number[]

  private constructor(segment: Segment, option?: CodecOption<T>) {
    super(segment, 'SharedMap', mapWaits)
    const { object } = this
    this.#gate = Condition.attach(segment)
    const made = this.orClose(() => {
      const params = nativeSegments.objectParams(object.handle)
      const [codec = 0, , maxBytes = 0, cells = 0] = params
      return { params, codec: codecOf(codec, option, this.name), store: storeOf(object, { maxBytes, cells }) }
    })
    this.#params = made.params
    this.#codec = made.codec
    this.#values = new Values(made.codec)
    this.#store = made.store
  }

  /** @internal */
  static attach<T = unknown>(segment: Segment): SharedMap<T> {
    return new SharedMap<T>(segment)
  }

  /**
   * Creates an empty map.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_UNSUPPORTED: the package lmdb isn't installed. ERR_EXISTS: the name
   *   is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an argument is refused. ERR_NO_SPACE: shared
   *   memory is full. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static create<T = unknown>(name: string | null, options?: SharedMapOptions<T>): SharedMap<T> {
    const { params, codec } = checkMap(options)
    loadLmdb()
    const data = { byteLength: numbersBytes(params[3] as number) }
    return new SharedMap<T>(createObject('SharedMap', name, options, params, data), codec)
  }

  /**
   * Opens a map that exists.
   *
   * @param options the codec, if it is one of your own
   * @throws {CrossmemError} ERR_UNSUPPORTED: the package lmdb isn't installed. ERR_NOT_FOUND: no
   *   object has the name. ERR_WRONG_KIND: the object isn't a SharedMap. ERR_WRONG_DOMAIN: another
   *   domain made the object. ERR_INVALID_ARG: the codec is another. ERR_CORRUPT: the database was
   *   overwritten. ERR_INVALID_NAME: the name is refused. ERR_PERMISSION: the object is another
   *   user's. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static open<T = unknown>(name: string, options?: Pick<SharedMapOptions<T>, 'codec'>): SharedMap<T> {
    const { codec } = checkOptions(options, OPEN_OPTIONS)
    loadLmdb()
    return new SharedMap<T>(Segment.open(name, 'SharedMap'), codec as CodecOption<T>)
  }

  /**
   * Opens the map once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated<T = unknown>(
    name: string,
    options?: WaitOptions & Pick<SharedMapOptions<T>, 'codec'>,
  ): Promise<SharedMap<T>> {
    const { codec, ...wait } = checkOptions(options, { ...WAIT_OPTIONS, ...OPEN_OPTIONS })
    return whenCreated(name, () => SharedMap.open<T>(name, { codec: codec as CodecOption<T> }), wait)
  }

  /**
   * Opens the map if it exists, with the entries that it has, else creates it: processes that share
   * it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another `ttl` or `maxBytes` than asked for
   */
  static openOrCreate<T = unknown>(name: string, options?: SharedMapOptions<T>): SharedMap<T> {
    const { params, codec } = checkMap(options)
    const map = openOrCreate(
      options,
      () => SharedMap.open<T>(name, { codec }),
      () => SharedMap.create<T>(name, options),
    )
    const [, ttl, maxBytes] = params
    if (options?.ttl !== undefined && map.#params[1] !== ttl) throw existsAs(map, `with ttl: ${map.ttl}`)
    if (options?.maxBytes !== undefined && map.#params[2] !== maxBytes) {
      throw existsAs(map, `with maxBytes: ${map.maxBytes}`)
    }
    return map
  }

  /** How long an entry lives unless `set` says otherwise, in milliseconds. */
  get ttl(): number {
    return this.#params[1] || Number.POSITIVE_INFINITY
  }

  /** The most bytes that entries take. */
  get maxBytes(): number {
    return this.#params[2] || Number.POSITIVE_INFINITY
  }

  /**
   * How many entries there are. Expired ones count until a write removes them.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get size(): number {
    return this.#open.size
  }

  /**
   * The bytes that entries take now, in whole pages.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get usedBytes(): number {
    return this.#open.usedBytes
  }

  /**
   * The value of a key; `undefined` if there is none, or if it has expired.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it is no key. ERR_TOO_LARGE: the key has more than
   *   1978 bytes. ERR_CORRUPT: the codec didn't write the value. ERR_CLOSED: the handle is closed
   */
  get(key: MapKey): T | undefined {
    const bytes = this.#open.read(key)
    return bytes === undefined ? undefined : this.#values.of(bytes)
  }

  /**
   * Whether there is an entry.
   *
   * @throws {CrossmemError} as `get`
   */
  has(key: MapKey): boolean {
    return this.#open.read(key) !== undefined
  }

  /**
   * Writes an entry. When the promise resolves, all processes see it.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the key, the value or an option is refused.
   *   ERR_TOO_LARGE: the key has more than 1978 bytes, or the entry more than half of `maxBytes`.
   *   ERR_NO_SPACE: there is no memory for it; nothing has changed. ERR_TIMEOUT: `timeout` ms have
   *   passed, in which other processes wrote. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the
   *   map was unlinked during the wait
   * @throws the signal's reason, if `signal` is aborted
   */
  async set(key: MapKey, value: T, options?: MapSetOptions): Promise<void> {
    const { ttl, wait } = this.#checkSet(options)
    const [bytes, encoded] = [keyBytes(key), this.#encode(value)]
    await this.#change(wait, store => store.set(bytes, encoded, expiry(ttl)))
  }

  /**
   * Removes an entry.
   *
   * @returns whether it was there
   * @throws {CrossmemError} as `set`
   * @throws the signal's reason, if `signal` is aborted
   */
  async delete(key: MapKey, options?: WaitOptions): Promise<boolean> {
    const bytes = keyBytes(key)
    return this.#change(options, store => store.delete(bytes))
  }

  /**
   * Removes all entries at once.
   *
   * @throws {CrossmemError} as `set`
   * @throws the signal's reason, if `signal` is aborted
   */
  async clear(options?: WaitOptions): Promise<void> {
    await this.#change(options, store => store.clear())
  }

  /**
   * Replaces a value by what `change` makes of it. No other process writes meanwhile. If `change`
   * throws, or if this process dies, the old value stays.
   *
   * @param change gets the value, or `undefined` if there is none; returns the new one, or
   *   `undefined` to remove it. It is synchronous
   * @returns the new value
   * @throws {CrossmemError} as `set`. ERR_INVALID_ARG: `change` is no function, or is asynchronous
   * @throws what `change` throws
   */
  async update(
    key: MapKey,
    change: (value: T | undefined) => T | undefined,
    options?: MapSetOptions,
  ): Promise<T | undefined> {
    checkFunction('change', change)
    const { ttl, wait } = this.#checkSet(options)
    const bytes = keyBytes(key)
    return this.#change(wait, async store => {
      const made = change(this.get(key))
      if (isThenable(made)) {
        throw new CrossmemError(
          'ERR_INVALID_ARG',
          'update() needs a synchronous function: all writers wait for it; use getOrInsert() for slow work',
        )
      }
      if (made === undefined) await store.delete(bytes)
      else await store.set(bytes, this.#encode(made), expiry(ttl))
      return made
    })
  }

  /**
   * The value of a key. If there is none, `make` makes it: once, however many processes ask at the
   * same time. The others wait for it. If the process that makes it dies, or if its `make` throws,
   * the next one makes it.
   *
   * @param make returns the value, or a promise of it
   * @throws {CrossmemError} as `set`. ERR_INVALID_ARG: `make` is no function
   * @throws what `make` throws
   */
  async getOrInsert(
    key: MapKey,
    make: (key: MapKey) => T | Promise<T>,
    options?: Omit<MapSetOptions, 'timeout' | 'unref'>,
  ): Promise<T> {
    checkFunction('make', make)
    const { signal } = this.#checkSet(options).wait
    const found = this.get(key)
    if (found !== undefined) return found
    const name = `crossmem.map ${this.object.segment.id} ${createHash('sha256').update(keyBytes(key)).digest('hex')}`
    return locks.request(name, signal ? { signal } : {}, async () => {
      const made = this.get(key)
      if (made !== undefined) return made
      const value = await make(key)
      await this.set(key, value, options)
      return value
    })
  }

  /**
   * Yields the value of a key, and again after each change: `undefined` while there is none. If
   * changes follow each other quickly, only the last one is seen.
   *
   * @throws {CrossmemError} as `get`. ERR_NOT_FOUND: the map was unlinked
   * @throws the signal's reason, if `signal` is aborted
   */
  async *watch(
    key: MapKey,
    options?: Omit<WaitOptions, 'timeout'>,
  ): AsyncGenerator<T | undefined, void, void> {
    checkWait(checkOptions(options, { signal: true, unref: true }))
    keyBytes(key)
    let last: number | undefined
    for (;;) {
      let value: T | undefined
      const guard = await this.#lock(options)
      try {
        // Looked at with the lock held, so that no change comes between the look and the wait.
        for (;;) {
          const bytes = this.#open.read(key)
          const id = bytes === undefined ? 0 : idOf(bytes)
          if (id !== last) {
            last = id
            value = bytes && this.#values.of(bytes)
            break
          }
          const left = bytes === undefined ? DEATH_NOTICED : expiresIn(bytes)
          await this.#waitForChange(Math.min(DEATH_NOTICED, left), options)
        }
      } finally {
        if (!guard.isReleased) guard.release()
      }
      yield value
    }
  }

  async #waitForChange(timeout: number, options: WaitOptions | undefined): Promise<void> {
    try {
      await this.#gate.wait({ ...options, timeout })
    } catch (error) {
      if (!hasCode(error, 'ERR_TIMEOUT')) throw error
    }
  }

  /**
   * Entries in the order of their keys. They are read some at a time: an entry that changes
   * meanwhile is seen as it was or as it is.
   *
   * @throws {CrossmemError} as `get`. ERR_INVALID_ARG: an option is refused
   */
  entries(range?: MapRange): IterableIterator<[MapKey, T]> {
    const checked = checkRange(range)
    void this.#open
    return this.#entries(checked)
  }

  *#entries({ start, end, reverse, limit }: CheckedRange): Generator<[MapKey, T], void, void> {
    let [first, left] = [reverse ? end : start, limit]
    for (let isFirst = true; left > 0; isFirst = false) {
      const records = this.#open.list({
        start: first,
        end: reverse ? start : end,
        reverse,
        limit: Math.min(AT_ONCE, left),
        exclusiveStart: reverse || !isFirst,
        inclusiveEnd: reverse,
      })
      for (const { key, value } of records) {
        const expires = expiresAt(value)
        if (expires !== 0 && expires <= Date.now()) continue
        left--
        yield [key as MapKey, this.#values.of(value)]
      }
      const last = records.at(-1)
      if (!last || records.length < AT_ONCE) return
      first = keyBytes(last.key)
    }
  }

  /**
   * Keys in their order.
   *
   * @throws {CrossmemError} as `entries`
   */
  keys(range?: MapRange): IterableIterator<MapKey> {
    return each(this.entries(range), ([key]) => key)
  }

  /**
   * Values in the order of their keys.
   *
   * @throws {CrossmemError} as `entries`
   */
  values(range?: MapRange): IterableIterator<T> {
    return each(this.entries(range), ([, value]) => value)
  }

  /** All entries, as `entries()`. */
  [Symbol.iterator](): IterableIterator<[MapKey, T]> {
    return this.entries()
  }

  /**
   * Closes this handle. With the last handle of this thread, pending calls reject with ERR_CLOSED.
   * The last process to close the map removes it unless it persists. Calling it again does nothing.
   */
  override close(): void {
    this.#gate.close()
    super.close()
  }

  /** @internal */
  protected override state(): object {
    try {
      const { size, usedBytes } = this
      return { size, usedBytes }
    } catch {
      return {}
    }
  }

  get #open(): MapStore {
    void this.object
    return this.#store
  }

  #encode(value: T): Uint8Array {
    if (value === undefined) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        'undefined means that there is no entry; delete() it, or write null',
      )
    }
    // The codec uses its bytes again for the next value, which may come before the lock does.
    return Uint8Array.prototype.slice.call(this.#codec.encode(value))
  }

  #checkSet(options: MapSetOptions | undefined): { ttl: number; wait: WaitOptions } {
    const { ttl = this.ttl, ...wait } = checkOptions(options, SET_OPTIONS)
    return { ttl: checkTtl(ttl), wait }
  }

  /** Runs `act` with the lock held. */
  async #change<Result>(
    options: WaitOptions | undefined,
    act: (store: MapStore) => Promise<Result>,
  ): Promise<Result> {
    throwIfAborted(checkWait(options).signal)
    const guard = await this.#lock(options)
    try {
      return await act(this.#open)
    } finally {
      // The handle may have been closed meanwhile.
      if (!guard.isReleased) {
        this.#gate.notifyAll()
        guard.release()
      }
    }
  }

  async #lock(options: WaitOptions | undefined): Promise<Guard> {
    void this.object
    const guard = await this.#gate.lock(options)
    if (guard.ownerDied && !guard.isReleased) {
      this.#open.recover()
      guard.markConsistent()
    }
    return guard
  }
}

function* each<From, To>(items: Iterable<From>, make: (item: From) => To): Generator<To, void, void> {
  for (const item of items) yield make(item)
}

function storeOf(object: SharedObject, limits: { maxBytes: number; cells: number }): MapStore {
  const known = stores.get(object)
  if (known) return known
  const store = new MapStore(object, limits)
  stores.set(object, store)
  object.held.add(store)
  return store
}

function checkMap<T>(options: SharedMapOptions<T> | undefined): { params: number[]; codec?: CodecOption<T> } {
  const { codec, ttl = Number.POSITIVE_INFINITY, maxBytes = 0 } = checkOptions(options, MAP_OPTIONS)
  if (maxBytes !== 0 || options?.maxBytes !== undefined) {
    checkCount('maxBytes', maxBytes, 2 ** 16, Number.MAX_SAFE_INTEGER)
  }
  // An entry has its own, unless there are very many.
  const cells = maxBytes === 0 ? 0 : Math.min(2 ** 20, Math.max(1024, Math.ceil(maxBytes / 256)))
  const life = checkTtl(ttl)
  const params = [codecFor(codec).id, life === Number.POSITIVE_INFINITY ? 0 : life, maxBytes, cells]
  return { params, codec: codec as CodecOption<T> }
}

function checkTtl(ttl: unknown): number {
  if (ttl === Number.POSITIVE_INFINITY) return ttl
  if (typeof ttl === 'number' && ttl > 0 && ttl <= LONGEST_TTL) return Math.ceil(ttl)
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `ttl is a number of milliseconds above 0, or Infinity, not ${show(ttl)}`,
  )
}

/** As a record has it. */
const expiry = (ttl: number): number => (ttl === Number.POSITIVE_INFINITY ? 0 : Date.now() + ttl)

/** The milliseconds until a record expires. */
function expiresIn(bytes: Uint8Array): number {
  const expires = expiresAt(bytes)
  return expires === 0 ? Number.POSITIVE_INFINITY : Math.max(0, expires - Date.now())
}

interface CheckedRange {
  start: Uint8Array
  end: Uint8Array
  reverse: boolean
  limit: number
}

function checkRange(range: MapRange | undefined): CheckedRange {
  const { start, end, prefix, reverse = false, limit } = checkOptions(range, RANGE_OPTIONS)
  checkBoolean('reverse', reverse)
  if (limit !== undefined) checkCount('limit', limit, 0, Number.MAX_SAFE_INTEGER)
  const within = prefix === undefined ? undefined : prefixBytes(prefix)
  const starts = [within ?? BEFORE_KEYS, ...(start === undefined ? [] : [keyBytes(start)])]
  const ends = [within ? behind(within) : BEHIND_KEYS, ...(end === undefined ? [] : [keyBytes(end)])]
  return {
    start: starts.reduce((a, b) => (Buffer.compare(a, b) < 0 ? b : a)),
    end: ends.reduce((a, b) => (Buffer.compare(a, b) > 0 ? b : a)),
    reverse,
    limit: limit ?? Number.POSITIVE_INFINITY,
  }
}
