import { isMainThread } from 'node:worker_threads'
import { CrossmemError, hasCode } from '../errors.js'
import { nativeSegments } from '../native/index.js'
import type { Held, SharedObject } from '../objects/index.js'
import { countKey, dueHint, dueHints, idOfHint, orderHint, orderHints, placeOf } from './hints.js'
import { KeyBytes } from './keys.js'
import { type Lmdb, type LmdbRange, openLmdb } from './lmdb.js'
import { Numbers } from './numbers.js'
import { expiresAt, FACTS_BYTES, type Facts, factsOf, idOf, payloadOf, recordOf } from './record.js'

/** The limits of a map. */
export interface Limits {
  /** The most bytes of entries; 0: without limit. */
  readonly maxBytes: number
  readonly cells: number
}

/** A key to be written, and its bytes; without them it is removed. */
type Write = readonly [key: Uint8Array, bytes?: Uint8Array]

const keys = new KeyBytes()

/** What a transaction may add to the file beside its values: copies of pages, lists of pages. */
const SLACK = 1 << 20
/** So much is left for removals when no more memory is to be had. */
const FOR_REMOVALS = 2 << 20
/** So much memory is taken at a time, at least. */
const STEP = 4 << 20
/** So many hints are followed in one transaction. */
const HINTS_AT_ONCE = 256
/** So often entries that were used are spared: other processes may use them all the time. */
const ROUNDS = 64

/**
 * The database of a map: one for all handles in this environment. Everything that writes is called
 * by the holder of the map's lock.
 *
 * The memory of the file is reserved before a transaction needs it: LMDB can damage its own heap if
 * a write fails.
 *
 * A main thread writes at once. A worker thread lets LMDB's own thread write: if the worker is
 * terminated inside a transaction of its own, LMDB never gives back its lock.
 */
export class MapStore implements Held {
  readonly #object: SharedObject
  readonly #limits: Limits
  readonly #numbers: Numbers
  readonly #db: Lmdb
  /** The changes that the current snapshot shows. */
  #seen = -1

  constructor(object: SharedObject, limits: Limits) {
    const { segment, handle, name } = object
    this.#object = object
    this.#limits = limits
    this.#numbers = new Numbers(segment, limits.cells)
    if (this.#numbers.reserved === 0) this.#reserve(0, STEP)
    this.#db = openLmdb(nativeSegments.mapPath(handle), keys, name)
  }

  /** The last handle here is closed. */
  abandon(): void {
    this.#db.close().catch(() => undefined)
  }

  /** The record of a living entry, valid until the next call. Counts as a use. */
  read(key: unknown): Uint8Array | undefined {
    const bytes = this.#stored(key)
    if (bytes === undefined) return undefined
    const expires = expiresAt(bytes)
    if (expires !== 0 && expires <= Date.now()) return undefined
    if (this.#limits.cells > 0) this.#numbers.use(idOf(bytes))
    return bytes
  }

  /** The record of an entry, which may have expired. */
  #stored(key: unknown): Uint8Array | undefined {
    this.#refresh()
    return this.#db.getBinaryFast(key)
  }

  /** Has reads see what is committed now, not what was at the first read of this turn. */
  #refresh(): void {
    const { changes } = this.#numbers
    if (changes === this.#seen) return
    this.#seen = changes
    this.#db.resetReadTxn()
  }

  /** Records of living entries in order; each is a copy. */
  list(range: LmdbRange): { key: unknown; value: Uint8Array }[] {
    this.#refresh()
    return [...this.#db.getRange(range)]
  }

  get size(): number {
    const bytes = this.#stored(countKey)
    return bytes === undefined ? 0 : idOf(bytes)
  }

  /** The bytes of all pages with entries and hints. */
  get usedBytes(): number {
    this.#db.resetReadTxn()
    const { treeBranchPageCount, treeLeafPageCount, overflowPages, pageSize } = this.#db.getStats()
    return (treeBranchPageCount + treeLeafPageCount + overflowPages) * pageSize
  }

  /** A holder of the lock died: it may have committed without a word. */
  recover(): void {
    this.#numbers.countChange()
    this.#db.readerCheck()
  }

  /** Writes an entry. `expires` as a record has it. */
  async set(key: Uint8Array, value: Uint8Array, expires: number): Promise<void> {
    const { maxBytes } = this.#limits
    const length = FACTS_BYTES + value.length + key.length
    if (maxBytes > 0 && length > maxBytes / 2) {
      throw new CrossmemError(
        'ERR_TOO_LARGE',
        `an entry of "${this.#object.name}" has at most half of its ${maxBytes} bytes, not ${length}; create the map with a larger maxBytes`,
      )
    }
    const bytes = this.#stored(key)
    const old = bytes && factsOf(bytes)
    this.#makeRoom(2 * value.length + listOf(bytes), FOR_REMOVALS)
    const id = this.#numbers.nextId()
    const order = this.#limits.cells > 0 ? this.#numbers.tick() : 0
    const writes: Write[] = old ? hintsOf(old).map(hint => [hint] as const) : []
    writes.push([key, recordOf({ id, order, expires }, value)])
    for (const hint of hintsOf({ id, order, expires })) writes.push([hint, key])
    if (!old) writes.push(this.#count(1))
    // Before the commit: found too early, it does no harm.
    if (expires !== 0 && expires < this.#numbers.due) this.#numbers.due = expires
    await this.#commit(writes)
    await this.#tidy()
  }

  /** Removes an entry. Returns whether it was there and had not expired. */
  async delete(key: Uint8Array): Promise<boolean> {
    const bytes = this.#stored(key)
    if (!bytes) return false
    const old = factsOf(bytes)
    this.#makeRoom(listOf(bytes))
    await this.#commit([...this.#removal(key, old), this.#count(-1)])
    await this.#tidy()
    return old.expires === 0 || old.expires > Date.now()
  }

  async clear(): Promise<void> {
    this.#makeRoom(listOf({ length: this.usedBytes }))
    try {
      if (isMainThread) this.#db.clearSync()
      else await this.#db.clearAsync()
    } catch (cause) {
      throw failure(this.#object.name, cause)
    }
    this.#numbers.size = 0
    this.#changed()
  }

  #removal(key: Uint8Array, facts: Facts): Write[] {
    return [[key], ...hintsOf(facts).map(hint => [hint] as const)]
  }

  #count(more: number): Write {
    const entries = Math.max(0, this.size + more)
    this.#numbers.size = entries
    return [countKey, recordOf({ id: entries, order: 0, expires: 0 }, NOTHING)]
  }

  async #commit(writes: readonly Write[]): Promise<void> {
    const write = (): void => {
      for (const [key, bytes] of writes) {
        if (bytes) this.#db.put(key, bytes)
        else this.#db.remove(key)
      }
    }
    try {
      if (isMainThread) this.#db.transactionSync(write)
      else await this.#db.batch(write)
    } catch (cause) {
      throw failure(this.#object.name, cause)
    }
    this.#changed()
  }

  #changed(): void {
    // The handle may have been closed while LMDB's thread wrote.
    if (this.#object.isClosed) return
    this.#numbers.countChange()
    this.#db.resetReadTxn()
  }

  /** Removes what has expired, and what is too much, as far as there is memory to do so. */
  async #tidy(): Promise<void> {
    try {
      await this.#removeExpiredAndUnused()
    } catch (error) {
      // The change that comes before is made, whatever happens to others.
      if (!hasCode(error, 'ERR_NO_SPACE') && !this.#object.isClosed) throw error
    }
  }

  async #removeExpiredAndUnused(): Promise<void> {
    // A database that is being closed must not be read: LMDB would throw in a timer.
    if (this.#object.isClosed) return
    if (this.#numbers.due <= Date.now()) await this.#removeExpired()
    const { maxBytes } = this.#limits
    if (maxBytes === 0) return
    for (let round = 0; !this.#object.isClosed; round++) {
      const excess = this.usedBytes - maxBytes
      if (excess <= 0) return
      const writes = this.#leastUsed(excess + maxBytes / 32, round < ROUNDS)
      if (writes.length === 0) return
      // Not much more than that is freed, since an entry has at most half of all bytes.
      this.#makeRoom(listOf({ length: excess + maxBytes }))
      await this.#commit(writes)
    }
  }

  async #removeExpired(): Promise<void> {
    const now = Date.now()
    const hints = this.list({ ...dueHints, limit: HINTS_AT_ONCE })
    const writes: Write[] = []
    let [removed, freed] = [0, 0]
    let due = Number.POSITIVE_INFINITY
    for (const { key, value } of hints) {
      const hint = key as Buffer
      if (placeOf(hint) > now) {
        due = placeOf(hint)
        break
      }
      const bytes = this.#stored(value)
      const facts = bytes && factsOf(bytes)
      if (facts?.id !== idOfHint(hint)) writes.push([hint])
      else {
        writes.push(...this.#removal(value, facts))
        freed += bytes?.length ?? 0
        removed++
      }
    }
    if (hints.length === HINTS_AT_ONCE && due === Number.POSITIVE_INFINITY) due = now
    if (writes.length > 0) {
      if (removed > 0) writes.push(this.#count(-removed))
      this.#makeRoom(listOf({ length: freed }))
      await this.#commit(writes)
    }
    this.#numbers.due = due
  }

  /**
   * What to write so that about `excess` bytes of the least recently used entries go. An entry that
   * was used since its hint was written gets a new hint instead, if `spare` says so.
   */
  #leastUsed(excess: number, spare: boolean): Write[] {
    const writes: Write[] = []
    let [left, removed] = [excess, 0]
    for (const { key: hint, value: key } of this.list({ ...orderHints, limit: HINTS_AT_ONCE })) {
      if (left <= 0) break
      const bytes = this.#stored(key)
      const facts = bytes && factsOf(bytes)
      if (!bytes || facts?.id !== idOfHint(hint as Buffer)) {
        writes.push([hint as Buffer])
        continue
      }
      const used = this.#numbers.lastUse(facts.id)
      if (spare && used > facts.order) {
        writes.push([hint as Buffer], [orderHint(used, facts.id), key])
        writes.push([key, recordOf({ ...facts, order: used }, payloadOf(bytes))])
        // Each of these copies its entry.
        left -= bytes.length / 16
        continue
      }
      writes.push(...this.#removal(key, facts))
      left -= bytes.length + 2 * key.length + 64
      removed++
    }
    if (removed > 0) writes.push(this.#count(-removed))
    return writes
  }

  /**
   * Sees that a transaction can add so many bytes to the file, and leave so many.
   *
   * @throws {CrossmemError} ERR_NO_SPACE
   */
  #makeRoom(bytes: number, left = 0): void {
    const numbers = this.#numbers
    if (numbers.end + bytes + left > numbers.reserved) {
      this.#db.readerCheck()
      this.#db.resetReadTxn()
      const { lastPageNumber, pageSize } = this.#db.getStats()
      const end = (lastPageNumber + 1) * pageSize
      if (end + bytes + left > numbers.reserved) this.#reserve(end, bytes + left)
      numbers.end = end
    }
    numbers.end += bytes
  }

  #reserve(end: number, wanted: number): void {
    const numbers = this.#numbers
    const least = end + wanted
    for (const to of [Math.max(least, numbers.reserved + Math.max(STEP, end / 8)), least]) {
      try {
        nativeSegments.reserveMap(this.#object.handle, numbers.reserved, Math.ceil(to))
        numbers.reserved = Math.ceil(to)
        return
      } catch (error) {
        if (to === least || !hasCode(error, 'ERR_NO_SPACE')) throw error
      }
    }
  }
}

const NOTHING = new Uint8Array(0)

/** What a transaction adds to the file that frees such bytes: 8 for each of their pages, twice. */
const listOf = (freed: { length: number } | undefined): number => SLACK + (freed?.length ?? 0) / 256

function hintsOf({ id, order, expires }: Facts): Buffer[] {
  const hints: Buffer[] = []
  if (order > 0) hints.push(orderHint(order, id))
  if (expires > 0) hints.push(dueHint(expires, id))
  return hints
}

function failure(name: string, cause: unknown): CrossmemError {
  if (cause instanceof CrossmemError) return cause
  const { message, code, commitError } = cause as {
    message: string
    code?: number
    commitError?: Promise<void>
  }
  commitError?.catch(() => undefined)
  const ENOSPC = 28
  return new CrossmemError(
    code === ENOSPC ? 'ERR_NO_SPACE' : 'ERR_OS',
    `"${name}" was not changed: ${message}`,
    { cause },
  )
}
