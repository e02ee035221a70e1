import {
  checkCount,
  checkFunction,
  checkOptions,
  isAbortSignal,
  isMap,
  type OptionNames,
  show,
} from '../util/index.js'
import type { Arrivals, Connection } from './connection.js'
import { type Change, type CursorProxy, changesOf, itemsOf, readCursor, type WatchProxy } from './iterate.js'
import { type Anchor, defineProxy, fromWire, Managed, nothing, plain, proxyOf, toWire } from './managed.js'
import type { WireObject } from './protocol.js'
import { refused } from './values.js'

/** How to watch. */
export interface WatchOptions {
  /** Aborting it ends the watch. */
  signal?: AbortSignal
  /**
   * How many changes wait at the manager until they are fetched. Of more than these, the oldest are
   * lost, and the next one says how many. Default: 1000.
   */
  buffer?: number
}

const WATCH_OPTIONS: OptionNames<WatchOptions> = { signal: true, buffer: true }

/** The entries of a Map, of an object, or of what iterates over pairs, encoded. */
export function entriesToWire(connection: Connection, entries: unknown): unknown[] {
  const pairs = entries === undefined ? [] : pairsOf(entries)
  return pairs.map(pair => {
    if (!Array.isArray(pair)) throw refused(`an entry is a pair of a key and a value, not ${show(pair)}`)
    return [keyToWire(connection, pair[0]), toWire(connection, pair[1])]
  })
}

function pairsOf(entries: unknown): unknown[] {
  if (isMap(entries)) return [...entries]
  if (typeof entries === 'object' && entries !== null) {
    return Symbol.iterator in entries ? [...(entries as Iterable<unknown>)] : Object.entries(entries)
  }
  throw refused(`entries are an object, a Map or pairs, not ${show(entries)}`)
}

function keyToWire(connection: Connection, key: unknown): Uint8Array {
  const wire = toWire(connection, key, 'key')
  if (!Array.isArray(wire)) return wire
  throw refused('a key has no objects of the manager and no handles in it')
}

const entryFrom = (wires: unknown, arrivals: Arrivals): [never, never] => {
  const [key, value] = wires as [unknown, unknown]
  return [fromWire(key, arrivals) as never, fromWire(value, arrivals) as never]
}

/**
 * A dict that a manager owns: a Map for many processes. Each call is atomic. A value that comes
 * out is a frozen copy: to change what is in it, set it again, use `update()`, or put a dict or
 * list of the manager into it. Keys may be any values; two are the same if they have equal parts
 * in the same order.
 *
 * Errors of all its methods, beside those that they list. ERR_PEER_DIED: the manager is gone, or
 * the connection broke. ERR_LOST: it was, and the manager is there again, without this object.
 * ERR_CLOSED: this proxy or the manager's was closed. ERR_INVALID_ARG: a value can't be sent.
 * ERR_TOO_LARGE: the call is longer than the manager takes.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const scores = await manager.dict({ ann: 1 })
 * console.log(await scores.update('ann', n => n + 1), await scores.size()) // 2 1
 * await manager.close()
 * ```
 */
export class ManagedDict<Key = unknown, Value = unknown> extends Managed {
  /** The value of a key; `undefined` if the dict doesn't have it. */
  get(key: Key): Promise<Value | undefined> {
    return this.ask('get', to => [keyToWire(to, key)], fromWire) as Promise<Value | undefined>
  }

  /** Sets the value of a key. */
  set(key: Key, value: Value): Promise<void> {
    return this.ask('set', to => [keyToWire(to, key), toWire(to, value)], nothing)
  }

  /** Whether the dict has a key. */
  has(key: Key): Promise<boolean> {
    return this.ask('has', to => [keyToWire(to, key)], plain<boolean>)
  }

  /** Deletes a key. Resolves with whether the dict had it. */
  delete(key: Key): Promise<boolean> {
    return this.ask('delete', to => [keyToWire(to, key)], plain<boolean>)
  }

  /** Deletes all keys. */
  clear(): Promise<void> {
    return this.ask('clear', () => [], nothing)
  }

  /** How many keys it has. */
  size(): Promise<number> {
    return this.ask('size', () => [], plain<number>)
  }

  /**
   * Sets the values of all entries of a Map, an object or pairs at once: Python's `dict.update`.
   */
  assign(entries: Iterable<readonly [Key, Value]> | Record<string, Value>): Promise<void> {
    return this.ask('merge', to => [entriesToWire(to, entries)], nothing)
  }

  /** Deletes a key, and resolves with the value that it had. */
  pop(key: Key): Promise<Value | undefined> {
    return this.ask('pop', to => [keyToWire(to, key)], fromWire) as Promise<Value | undefined>
  }

  /** Deletes the entry that was added last, and resolves with it; `undefined` if there is none. */
  popItem(): Promise<[Key, Value] | undefined> {
    return this.ask(
      'popItem',
      () => [],
      (wires, arrivals) => wires && entryFrom(wires, arrivals),
    ) as never
  }

  /** The value of a key, which is set to `value` first if the dict doesn't have it. */
  getOrInsert(key: Key, value: Value): Promise<Value> {
    return this.ask('getOrInsert', to => [keyToWire(to, key), toWire(to, value)], fromWire) as Promise<Value>
  }

  /** As `getOrInsert`: the name that Python has for it. */
  setDefault(key: Key, value: Value): Promise<Value> {
    return this.getOrInsert(key, value)
  }

  /**
   * Sets a key to what `change` makes of its value. No other change comes between: if one does, or
   * a call before it was slow, `change` is called again with the new value. No process waits for
   * it, so one that is stopped inside `change` stops no other.
   *
   * @param change gets the value, `undefined` if there is none, and returns the new one
   * @returns the new value
   * @throws what `change` throws; then nothing is changed
   */
  async update(key: Key, change: (value: Value | undefined) => Value | Promise<Value>): Promise<Value> {
    checkFunction('change', change)
    type Seen = [version: number, value: Value | undefined]
    const read = (result: unknown, arrivals: Arrivals): Seen | undefined => {
      if (result === undefined) return undefined
      const [version, value] = result as [number, unknown]
      return [version, fromWire(value, arrivals) as Value | undefined]
    }
    let seen = await this.ask('read', to => [keyToWire(to, key)], read)
    while (seen) {
      const [version, value] = seen
      const changed = await change(value)
      seen = await this.ask('replace', to => [keyToWire(to, key), version, toWire(to, changed)], read)
      if (!seen) return changed
    }
    throw refused('the manager knows no version')
  }

  /** All entries at one instant. */
  async toMap(): Promise<Map<Key, Value>> {
    const entries = await this.ask(
      'all',
      () => [],
      (wires, arrivals) => (wires as unknown[]).map(entry => entryFrom(entry, arrivals) as [Key, Value]),
    )
    return new Map(entries)
  }

  /**
   * The keys, some at a time: what is added or deleted meanwhile counts where it wasn't passed
   * yet.
   */
  keys(): AsyncGenerator<Key, void, void> {
    return itemsOf(
      () => this.#cursor('keys'),
      ([key]) => key as Key,
    )
  }

  /** The values, as `keys`. */
  values(): AsyncGenerator<Value, void, void> {
    return itemsOf(
      () => this.#cursor('values'),
      ([value]) => value as Value,
    )
  }

  /** The entries, as `keys`. */
  entries(): AsyncGenerator<[Key, Value], void, void> {
    return itemsOf(
      () => this.#cursor('entries'),
      cells => cells as [Key, Value],
    )
  }

  /** As `entries`. */
  [Symbol.asyncIterator](): AsyncGenerator<[Key, Value], void, void> {
    return this.entries()
  }

  /**
   * Watches a key. Resolves when the watch is set up: all later changes come out.
   *
   * @throws the signal's reason, from the iteration, if `signal` is aborted
   */
  watch(key: Key, options?: WatchOptions): Promise<AsyncGenerator<Change<Key, Value>, void, void>> {
    return this.#watch(to => keyToWire(to, key), options)
  }

  /** Watches all keys, as `watch`. */
  watchAll(options?: WatchOptions): Promise<AsyncGenerator<Change<Key, Value>, void, void>> {
    return this.#watch(() => undefined, options)
  }

  async #watch(
    name: (to: Connection) => unknown,
    options: WatchOptions | undefined,
  ): Promise<AsyncGenerator<Change<Key, Value>, void, void>> {
    const { signal, buffer = 1000 } = checkOptions(options, WATCH_OPTIONS)
    checkCount('buffer', buffer, 1, 1e6)
    if (signal !== undefined && !isAbortSignal(signal))
      throw refused(`signal is an AbortSignal, not ${show(signal)}`)
    const read = (result: unknown, arrivals: Arrivals) =>
      proxyOf(result as WireObject, arrivals) as WatchProxy
    const watch = await this.ask('watch', to => [name(to), buffer], read)
    return changesOf(watch, signal) as AsyncGenerator<Change<Key, Value>, void, void>
  }

  #cursor(method: 'keys' | 'values' | 'entries'): Promise<CursorProxy> {
    return this.ask(method, () => [], readCursor)
  }
}

/**
 * Names with values, that a manager owns: Python's `Namespace`. It has what a ManagedDict has.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const settings = await manager.namespace({ limit: 10 })
 * await settings.set('limit', 11)
 * console.log(await settings.toObject()) // { limit: 11 }
 * await manager.close()
 * ```
 */
export class ManagedNamespace<Value = unknown> extends ManagedDict<string, Value> {
  /** All names with their values at one instant. */
  async toObject(): Promise<Record<string, Value>> {
    return Object.fromEntries(await this.toMap())
  }
}

defineProxy('Dict', ManagedDict as new (anchor: Anchor) => Managed)
defineProxy('Namespace', ManagedNamespace as new (anchor: Anchor) => Managed)
