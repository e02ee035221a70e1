import { CrossmemError } from '../errors.js'
import { checkFunction, show } from '../util/index.js'
import type { Arrivals, Connection } from './connection.js'
import { itemsOf, readCursor } from './iterate.js'
import {
  type Anchor,
  defineProxy,
  fromWire,
  listFromWire,
  Managed,
  nothing,
  plain,
  toWire,
} from './managed.js'
import { refused } from './values.js'

export function itemsToWire(connection: Connection, items: unknown): unknown[] {
  if (typeof items !== 'object' || items === null || !(Symbol.iterator in items)) {
    throw refused(`items are an array, or what iterates, not ${show(items)}`)
  }
  return Array.from(items as Iterable<unknown>, item => toWire(connection, item))
}

/** What `replace` and `replaceAll` answer: nothing, or what is there instead. */
type Seen<T> = [version: number, value: T] | undefined

const outOfRange = (index: number): CrossmemError =>
  new CrossmemError('ERR_OUT_OF_RANGE', `the list has no item ${index}`)

/**
 * What lists, arrays and values have in common.
 *
 * @example
 * ```js
 * import { ManagedItems, ManagedList } from 'crossmem/manager'
 *
 * console.log(ManagedList.prototype instanceof ManagedItems) // true
 * ```
 */
export abstract class ManagedItems<Item> extends Managed {
  /**
   * The item at an index, from the end if it is negative; `undefined` if there is none. @internal
   */
  protected itemAt(index: number): Promise<Item | undefined> {
    return this.ask('at', () => [index], fromWire) as Promise<Item | undefined>
  }

  /** @internal */
  protected async setItem(index: number, item: Item): Promise<void> {
    if (!(await this.ask('set', to => [index, toWire(to, item)], plain<boolean>))) throw outOfRange(index)
  }

  /** @internal */
  protected async updateItem(index: number, change: (item: Item) => Item | Promise<Item>): Promise<Item> {
    checkFunction('change', change)
    const read = (result: unknown, arrivals: Arrivals): Seen<Item> => {
      if (result === undefined) return undefined
      const [version, value] = result as [number, unknown]
      return [version, fromWire(value, arrivals) as Item]
    }
    let seen = await this.ask('read', () => [index], read)
    for (;;) {
      if (!seen) throw outOfRange(index)
      const [version, item] = seen
      const changed = await change(item)
      const answer = await this.ask(
        'replace',
        to => [index, version, toWire(to, changed)],
        (result, arrivals) => (result === undefined ? 'done' : [read((result as [unknown])[0], arrivals)]),
      )
      if (answer === 'done') return changed
      seen = (answer as [Seen<Item>])[0]
    }
  }
}

/**
 * A list that a manager owns: an array for many processes. Each call is atomic. A value that comes
 * out is a frozen copy, as with a {@link ManagedDict}. Negative indices count from the end. Items
 * are equal if they have equal parts in the same order.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const list = await manager.list([1, 2])
 * console.log(await list.push(3), await list.at(-1), await list.toArray()) // 3 3 [ 1, 2, 3 ]
 * await manager.close()
 * ```
 */
export class ManagedList<Item = unknown> extends ManagedItems<Item> {
  /** The item at an index; `undefined` if there is none. */
  at(index: number): Promise<Item | undefined> {
    return this.itemAt(index)
  }

  /**
   * Sets the item at an index.
   *
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: the list has no such item
   */
  set(index: number, item: Item): Promise<void> {
    return this.setItem(index, item)
  }

  /**
   * Sets the item at an index to what `change` makes of it, as {@link ManagedDict.update} does.
   *
   * @returns the new item
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: the list has no such item
   */
  update(index: number, change: (item: Item) => Item | Promise<Item>): Promise<Item> {
    return this.updateItem(index, change)
  }

  /** How many items it has. */
  length(): Promise<number> {
    return this.ask('length', () => [], plain<number>)
  }

  /** Adds items at the end. Resolves with the new length. */
  push(...items: Item[]): Promise<number> {
    return this.extend(items)
  }

  /** Adds the items of an array, or of what iterates, at the end. Resolves with the new length. */
  extend(items: Iterable<Item>): Promise<number> {
    return this.ask('push', to => [itemsToWire(to, items)], plain<number>)
  }

  /** Adds items at the beginning. Resolves with the new length. */
  unshift(...items: Item[]): Promise<number> {
    return this.ask('unshift', to => [itemsToWire(to, items)], plain<number>)
  }

  /** Takes the last item out, or the one at an index; `undefined` if there is none. */
  pop(index = -1): Promise<Item | undefined> {
    return this.ask('pop', () => [index], fromWire) as Promise<Item | undefined>
  }

  /** Takes the first item out; `undefined` if there is none. */
  shift(): Promise<Item | undefined> {
    return this.pop(0)
  }

  /** Adds an item before an index: Python's `list.insert`. */
  async insert(index: number, item: Item): Promise<void> {
    await this.splice(index, 0, item)
  }

  /**
   * Takes items out and puts others in their place, as that of an array. Resolves with what was
   * taken.
   */
  splice(start: number, count?: number, ...items: Item[]): Promise<Item[]> {
    return this.ask('splice', to => [start, count, itemsToWire(to, items)], listFromWire) as Promise<Item[]>
  }

  /** A copy of the items from `start` to before `end`, as that of an array. */
  slice(start = 0, end?: number): Promise<Item[]> {
    return this.ask('slice', () => [start, end], listFromWire) as Promise<Item[]>
  }

  /** All items at one instant. */
  toArray(): Promise<Item[]> {
    return this.slice()
  }

  /** The index of the first item that equals a value; -1 if there is none. */
  indexOf(item: Item): Promise<number> {
    return this.ask('indexOf', to => [toWire(to, item)], plain<number>)
  }

  /** Whether an item equals a value. */
  async includes(item: Item): Promise<boolean> {
    return (await this.indexOf(item)) >= 0
  }

  /** How many items equal a value. */
  count(item: Item): Promise<number> {
    return this.ask('count', to => [toWire(to, item)], plain<number>)
  }

  /** Takes the first item out that equals a value. Resolves with whether there was one. */
  remove(item: Item): Promise<boolean> {
    return this.ask('remove', to => [toWire(to, item)], plain<boolean>)
  }

  /** Reverses the list. */
  reverse(): Promise<void> {
    return this.ask('reverse', () => [], nothing)
  }

  /** Takes all items out. */
  clear(): Promise<void> {
    return this.ask('clear', () => [], nothing)
  }

  /**
   * Sorts the list, as that of an array: by their texts without `compare`. It is done in this
   * process, and done again if another one changes the list meanwhile.
   */
  async sort(compare?: (a: Item, b: Item) => number): Promise<void> {
    if (compare !== undefined) checkFunction('compare', compare)
    const read = (result: unknown, arrivals: Arrivals): Seen<Item[]> => {
      if (result === undefined) return undefined
      const [version, items] = result as [number, unknown]
      return [version, listFromWire(items, arrivals) as Item[]]
    }
    let seen = await this.ask('readAll', () => [], read)
    while (seen) {
      const [version, items] = seen
      const sorted = items.toSorted(compare)
      seen = await this.ask('replaceAll', to => [version, itemsToWire(to, sorted)], read)
    }
  }

  /** The items, some at a time: what is changed meanwhile counts where it wasn't passed yet. */
  values(): AsyncGenerator<Item, void, void> {
    return itemsOf(
      () => this.ask('items', () => [], readCursor),
      ([item]) => item as Item,
    )
  }

  /** As `values`. */
  [Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    return this.values()
  }
}

/**
 * Numbers that a manager owns, as many as there were at the beginning: Python's `Manager.Array`.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const numbers = await manager.array([1, 2])
 * await numbers.update(0, n => n + 10)
 * console.log(await numbers.toArray()) // [ 11, 2 ]
 * await manager.close()
 * ```
 */
export class ManagedArray<Item = number> extends ManagedItems<Item> {
  /** The number at an index; `undefined` if there is none. */
  at(index: number): Promise<Item | undefined> {
    return this.itemAt(index)
  }

  /**
   * Sets the number at an index.
   *
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there is no such number
   */
  set(index: number, item: Item): Promise<void> {
    return this.setItem(index, item)
  }

  /**
   * Sets the number at an index to what `change` makes of it, as {@link ManagedDict.update} does.
   */
  update(index: number, change: (item: Item) => Item | Promise<Item>): Promise<Item> {
    return this.updateItem(index, change)
  }

  /** How many numbers it has. */
  length(): Promise<number> {
    return this.ask('length', () => [], plain<number>)
  }

  /** A copy of the numbers from `start` to before `end`. */
  slice(start = 0, end?: number): Promise<Item[]> {
    return this.ask('slice', () => [start, end], listFromWire) as Promise<Item[]>
  }

  /** All numbers at one instant. */
  toArray(): Promise<Item[]> {
    return this.slice()
  }
}

/**
 * One value that a manager owns: Python's `Manager.Value`.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const count = await manager.value(1)
 * console.log(await count.update(n => n + 1), await count.get()) // 2 2
 * await manager.close()
 * ```
 */
export class ManagedValue<Value = unknown> extends ManagedItems<Value> {
  /** The value. */
  get(): Promise<Value> {
    return this.itemAt(0) as Promise<Value>
  }

  /** Sets the value. */
  set(value: Value): Promise<void> {
    return this.setItem(0, value)
  }

  /** Sets the value to what `change` makes of it, as {@link ManagedDict.update} does. */
  update(change: (value: Value) => Value | Promise<Value>): Promise<Value> {
    return this.updateItem(0, change)
  }
}

defineProxy('List', ManagedList as new (anchor: Anchor) => Managed)
defineProxy('Array', ManagedArray as new (anchor: Anchor) => Managed)
defineProxy('Value', ManagedValue as new (anchor: Anchor) => Managed)
