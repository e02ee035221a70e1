import { Cursor } from './cursor.js'
import { type Call, type Cell, integer, keyOf, type Methods, Stored } from './stored.js'
import { refused } from './values.js'

/** A list; also an array, whose length stays, and a value, which is a list of one. */
export class StoredList extends Stored {
  readonly kind: 'List' | 'Array' | 'Value'
  readonly methods = methods
  items: Cell[]
  /** Changes with the list. */
  version = 1

  constructor(kind: 'List' | 'Array' | 'Value', call: Call, items: unknown) {
    super()
    this.kind = kind
    this.items = cellsOf(call, items)
  }

  override *children(): Iterable<Stored> {
    for (const { objects } of this.items) yield* objects
  }

  override state(): object {
    return { length: this.items.length }
  }

  /** The place of an item; negative indices count from the end. `undefined`: there is none. */
  place(index: unknown): number | undefined {
    const given = integer(index)
    const at = given < 0 ? given + this.items.length : given
    return at >= 0 && at < this.items.length ? at : undefined
  }

  find(value: unknown): number {
    const key = keyOf(plain(value))
    return this.items.findIndex(item => item.key === key)
  }
}

function cellsOf(call: Call, items: unknown): Cell[] {
  if (!Array.isArray(items)) throw refused('items are an array')
  return items.map(item => call.cell(item))
}

function plain(value: unknown): Uint8Array {
  if (ArrayBuffer.isView(value)) return value as Uint8Array
  throw refused('only values without objects of the manager and handles in them can be looked for')
}

/**
 * An item that `update` read: its place, its version and its value; `undefined` if it isn't there.
 */
function read(list: StoredList, call: Call, index: unknown): unknown {
  const at = list.place(index)
  const cell = at === undefined ? undefined : list.items[at]
  return cell && [cell.version, call.value(cell)]
}

const readAll = (list: StoredList, call: Call): unknown => [list.version, call.values(list.items)]

/** A method that changes the list. */
const changing =
  (change: (list: StoredList, call: Call, ...args: unknown[]) => unknown) =>
  (list: StoredList, call: Call, ...args: unknown[]): unknown => {
    list.version++
    return change(list, call, ...args)
  }

const methods: Methods<StoredList> = {
  at: (list, call, index) => call.value(list.items[list.place(index) ?? -1]),
  length: list => list.items.length,
  slice: (list, call, start, end) =>
    call.values(list.items.slice(integer(start), end === undefined ? undefined : integer(end))),
  indexOf: (list, _, value) => list.find(value),
  count: (list, _, value) => {
    const key = keyOf(plain(value))
    return list.items.filter(item => item.key === key).length
  },
  items: (list, call) => call.object(call.client.adopt(new Cursor(cells(list)))),
  set: changing((list, call, index, value) => {
    const at = list.place(index)
    if (at !== undefined) list.items[at] = call.cell(value)
    return at !== undefined
  }),
  push: changing((list, call, items) => {
    for (const cell of cellsOf(call, items)) list.items.push(cell)
    return list.items.length
  }),
  unshift: changing((list, call, items) => {
    list.items = [...cellsOf(call, items), ...list.items]
    return list.items.length
  }),
  pop: changing((list, call, index = -1) => {
    const at = list.place(index)
    return at === undefined ? undefined : call.value(list.items.splice(at, 1)[0])
  }),
  splice: changing((list, call, start, count, items) => {
    const cells = cellsOf(call, items)
    const at = integer(start)
    const from = at < 0 ? Math.max(0, list.items.length + at) : Math.min(at, list.items.length)
    const removed = list.items.slice(
      from,
      from + (count === undefined ? list.items.length : integer(count, 0)),
    )
    list.items = [...list.items.slice(0, from), ...cells, ...list.items.slice(from + removed.length)]
    return call.values(removed)
  }),
  remove: changing((list, _, value) => {
    const at = list.find(value)
    if (at >= 0) list.items.splice(at, 1)
    return at >= 0
  }),
  reverse: changing(list => void list.items.reverse()),
  clear: changing(list => {
    list.items = []
  }),
  read,
  replace: changing((list, call, index, version, value) => {
    const at = list.place(index)
    const found = at === undefined ? undefined : list.items[at]
    if (at === undefined || found?.version !== version) return [read(list, call, index)]
    list.items[at] = call.cell(value)
    return undefined
  }),
  readAll,
  replaceAll: (list, call, version, items) => {
    if (version !== list.version) return readAll(list, call)
    list.items = cellsOf(call, items)
    list.version++
    return undefined
  },
}

function* cells(list: StoredList): Generator<Cell[]> {
  for (let at = 0; at < list.items.length; at++) yield [list.items[at] as Cell]
}
