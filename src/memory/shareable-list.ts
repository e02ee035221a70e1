import { CrossmemError } from '../errors.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  checkCreateOptions,
  existsAs,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import { checkOptions, type OptionNames, show } from '../util/index.js'
import type { WaitOptions } from '../wait/index.js'
import { ListCells } from './list-cells.js'
import { isSame, type ListItem, pack } from './list-items.js'
import { type ListTable, layoutFor, readLayout } from './list-layout.js'
import { MemoryHandle } from './memory-handle.js'

/** Options of `ShareableList.create` and `openOrCreate`. */
export interface ShareableListOptions extends CreateOptions {
  /**
   * How the memory says where each item lies: by its offset, as in Python 3.9 and later, or by its
   * size, as in Python 3.8. Opening finds out by itself. Default: `'offsets'`.
   */
  table?: ListTable
}

const LIST_OPTIONS: OptionNames<ShareableListOptions> = { ...CREATE_OPTIONS, table: true }

/**
 * A list of a fixed number of items that Node and Python processes change in place: Python's
 * `multiprocessing.shared_memory.ShareableList`, with the same bytes. An item is a number, a
 * bigint, a boolean, a string, a Uint8Array or null, and each may be replaced by one of another
 * type. Text and bytes have the room that the list was created with.
 *
 * A whole number is an int, as `1` in Python; another number, and any number that replaces a float,
 * is a float. Ints have 64 bits: those that a number can't hold exactly are read as a bigint.
 *
 * The list has no lock. A number, boolean or null in place of one of the same type changes in one
 * step. Beside any other change, a reader may see a mix of both items; if the writer is killed in
 * the middle, the item is null until it is set again. Take turns with a {@link Mutex} between Node
 * processes, or a {@link FileLock} with Python.
 *
 * @example
 * ```js
 * import { ShareableList } from 'crossmem'
 *
 * const list = ShareableList.create(null, ['howdy', -273.154, 100, true, null])
 * const same = ShareableList.open(list.name)
 * same.set(2, 'text')
 * same.set(-1, 7)
 * console.log(list.get(2), list.toArray().length, list.indexOf(7)) // text 5 4
 * same.close()
 * list.close()
 * ```
 */
export class ShareableList extends MemoryHandle<'ShareableList'> implements Iterable<ListItem> {
  /** Number of items; it never changes. */
  readonly length: number
  readonly #cells: ListCells
  readonly #table: ListTable

  private constructor(segment: Segment) {
    super(segment, 'ShareableList')
    try {
      const { buffer, name } = segment
      const words = new BigInt64Array(buffer, 0, Math.floor(buffer.byteLength / 8))
      const layout = readLayout(name, words, buffer.byteLength)
      this.length = layout.length
      this.#table = layout.table
      this.#cells = new ListCells(layout, buffer)
    } catch (error) {
      segment.close()
      throw error
    }
  }

  /** @internal */
  static attach(segment: Segment): ShareableList {
    return new ShareableList(segment)
  }

  /**
   * Creates a list.
   *
   * @param name `null` picks a random name
   * @param items an array or other iterable. Text gets room for its UTF-8 bytes, and bytes for
   *   themselves, rounded up as Python does: one byte more, then to a multiple of 8. For longer
   *   text later, create the list with longer text
   * @throws {CrossmemError} ERR_INVALID_ARG: an item can't be in a list (also text or bytes that
   *   end in a zero byte, which Python drops), or an argument is refused. ERR_TOO_LARGE: an item
   *   has more than 9,999,992 bytes. ERR_EXISTS: the name is taken. ERR_INVALID_NAME: the name is
   *   refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or the system
   *   is reached
   */
  static create(
    name: string | null,
    items: Iterable<ListItem>,
    options?: ShareableListOptions,
  ): ShareableList {
    const contents = listOf(items, options)
    return new ShareableList(
      Segment.create({
        name: name ?? undefined,
        kind: 'ShareableList',
        byteLength: contents.byteLength,
        contents,
        contentsLength: contents.byteLength,
        ...checkCreateOptions(options),
      }),
    )
  }

  /**
   * Opens a list of this domain, or one that Python made.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no shared memory has the name. ERR_WRONG_KIND: the
   *   object is of another class. ERR_CORRUPT: the memory holds no list, or Python hasn't written
   *   it yet. ERR_INVALID_NAME: the name is refused. ERR_PERMISSION: the memory is another user's.
   *   ERR_LIMIT: a limit of the domain or the system is reached
   */
  static open(name: string): ShareableList {
    return new ShareableList(Segment.open(name, 'ShareableList'))
  }

  /**
   * Opens the list once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<ShareableList> {
    return whenCreated(name, () => ShareableList.open(name), options)
  }

  /**
   * Opens the list if it exists, with the items that it has, else creates it: processes that share
   * it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another number of items, or another `table` than asked for
   */
  static openOrCreate(
    name: string,
    items: Iterable<ListItem>,
    options?: ShareableListOptions,
  ): ShareableList {
    const wanted = [...checkItems(items)]
    listOf(wanted, options)
    const list = openOrCreate(
      options,
      () => ShareableList.open(name),
      () => ShareableList.create(name, wanted, options),
    )
    if (list.length !== wanted.length) {
      throw existsAs(list, `with ${list.length} items, not ${wanted.length}`)
    }
    const { table = list.#table } = options ?? {}
    if (list.length > 0 && list.#table !== table) throw existsAs(list, `with the table '${list.#table}'`)
    return list
  }

  /**
   * The formats of all items, one behind the other, as Python's module `struct` spells them: `q` an
   * int, `d` a float, `xxxxxxx?` a boolean, `16s` text or bytes with 16 bytes of room, `xxxxxx?x`
   * null.
   *
   * @throws {CrossmemError} as `get`
   */
  get format(): string {
    return this.#open.format
  }

  /**
   * An item. Text and bytes are copies.
   *
   * @param index negative: from the end
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: no item has the index. ERR_CORRUPT: the item's bytes
   *   are no item; set it again. ERR_CLOSED: the handle is closed. ERR_DETACHED: the memory's
   *   buffer was transferred. ERR_INVALID_ARG: `index` is no whole number
   */
  get(index: number): ListItem {
    return this.#open.get(this.#at(index))
  }

  /**
   * Replaces an item.
   *
   * @param index negative: from the end
   * @throws {CrossmemError} ERR_INVALID_ARG: a list can't hold the item, or `index` is no whole
   *   number. ERR_TOO_LARGE: there is less room than the text or bytes need. ERR_OUT_OF_RANGE: no
   *   item has the index. ERR_CLOSED: the handle is closed. ERR_DETACHED: the memory's buffer was
   *   transferred
   */
  set(index: number, item: ListItem): void {
    this.#open.set(this.#at(index), item)
  }

  /**
   * How many items are the same as `item`: numbers and bigints of the same value, bytes that are
   * equal, else `===`.
   *
   * @throws {CrossmemError} as `get`
   */
  count(item: ListItem): number {
    return this.toArray().filter(found => isSame(found, item)).length
  }

  /**
   * The index of the first item that is the same as `item`, as `count` compares; -1 if none is.
   *
   * @throws {CrossmemError} as `get`
   */
  indexOf(item: ListItem): number {
    return this.toArray().findIndex(found => isSame(found, item))
  }

  /**
   * All items.
   *
   * @throws {CrossmemError} as `get`
   */
  toArray(): ListItem[] {
    const cells = this.#open
    return Array.from({ length: this.length }, (_, i) => cells.get(i))
  }

  /**
   * Reads one item after the other.
   *
   * @throws {CrossmemError} as `get`
   */
  *[Symbol.iterator](): IterableIterator<ListItem> {
    for (let i = 0; i < this.length; i++) yield this.#open.get(i)
  }

  /** @internal */
  protected override state(): object {
    return { length: this.length }
  }

  get #open(): ListCells {
    void this.segment.buffer
    return this.#cells
  }

  #at(index: number): number {
    if (!Number.isInteger(index)) {
      throw new CrossmemError('ERR_INVALID_ARG', `an index is a whole number, not ${show(index)}`)
    }
    const at = index < 0 ? index + this.length : index
    if (at >= 0 && at < this.length) return at
    throw new CrossmemError(
      'ERR_OUT_OF_RANGE',
      `index ${index} is outside of "${this.name}", which has ${this.length} items`,
    )
  }
}

/** The bytes of a new list. */
function listOf(items: Iterable<ListItem>, options?: ShareableListOptions): Uint8Array {
  const { table = 'offsets' } = checkOptions(options, LIST_OPTIONS)
  if (table !== 'offsets' && table !== 'sizes') {
    throw new CrossmemError('ERR_INVALID_ARG', `table is 'offsets' or 'sizes', not ${show(table)}`)
  }
  const packed = Array.from(checkItems(items), item => pack(item))
  return ListCells.bytesOf(
    layoutFor(
      table,
      packed.map(({ room }) => room),
    ),
    packed,
  )
}

function checkItems(items: unknown): Iterable<ListItem> {
  const isIterable = typeof items === 'object' && items !== null && Symbol.iterator in items
  if (isIterable) return items as Iterable<ListItem>
  throw new CrossmemError('ERR_INVALID_ARG', `items is an array or another iterable, not ${show(items)}`)
}
