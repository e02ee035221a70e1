import { Cursor } from './cursor.js'
import { type Call, type Cell, integer, keyOf, type Methods, Stored } from './stored.js'
import { refused } from './values.js'
import { Watchers } from './watch.js'

interface Entry {
  key: Cell
  value: Cell
}

/** A dict, or a namespace: entries in the order in which their keys came. */
export class StoredDict extends Stored {
  readonly kind: 'Dict' | 'Namespace'
  readonly methods = methods
  readonly entries = new Map<string, Entry>()
  readonly watchers = new Watchers()

  constructor(kind: 'Dict' | 'Namespace', call: Call, entries: unknown) {
    super()
    this.kind = kind
    this.merge(call, entries)
  }

  override *children(): Iterable<Stored> {
    for (const { key, value } of this.entries.values()) {
      yield* key.objects
      yield* value.objects
    }
  }

  override state(): object {
    return { size: this.entries.size }
  }

  get(key: unknown): Cell | undefined {
    return this.entries.get(keyOf(bytes(key)))?.value
  }

  set(call: Call, key: unknown, value: unknown): void {
    const name = keyOf(bytes(key))
    const cell = call.cell(value)
    const entry = this.entries.get(name)
    if (entry) entry.value = cell
    else this.entries.set(name, { key: call.cell(key), value: cell })
    this.watchers.tell(name, { key: bytes(key), value: cell })
  }

  merge(call: Call, entries: unknown): void {
    if (!Array.isArray(entries) || entries.some(entry => !Array.isArray(entry)))
      throw refused('entries are pairs')
    // All of them, or none.
    const cells = entries.map(([key, value]) => ({ key: call.cell(key), value: call.cell(value) }))
    for (const { key, value } of cells) {
      const entry = this.entries.get(key.key)
      if (entry) entry.value = value
      else this.entries.set(key.key, { key, value })
      this.watchers.tell(key.key, { key: key.bytes, value })
    }
  }

  take(name: string): Cell | undefined {
    const entry = this.entries.get(name)
    if (!entry) return undefined
    this.entries.delete(name)
    this.watchers.tell(name, { key: entry.key.bytes, value: undefined })
    return entry.value
  }

  clear(): void {
    for (const name of [...this.entries.keys()]) this.take(name)
  }
}

/** A key: values with objects of the manager in them are none. */
function bytes(key: unknown): Uint8Array {
  if (ArrayBuffer.isView(key)) return key as Uint8Array
  throw refused('a key is a value without objects of the manager and handles in it')
}

/** An entry that `update` read: its version, 0 if there is none, and its value. */
const read = (dict: StoredDict, call: Call, key: unknown): unknown => {
  const cell = dict.get(key)
  return [cell?.version ?? 0, call.value(cell)]
}

const methods: Methods<StoredDict> = {
  get: (dict, call, key) => call.value(dict.get(key)),
  has: (dict, _, key) => dict.entries.has(keyOf(bytes(key))),
  set: (dict, call, key, value) => dict.set(call, key, value),
  merge: (dict, call, entries) => dict.merge(call, entries),
  delete: (dict, _, key) => dict.take(keyOf(bytes(key))) !== undefined,
  clear: dict => dict.clear(),
  size: dict => dict.entries.size,
  pop: (dict, call, key) => call.value(dict.take(keyOf(bytes(key)))),
  popItem: (dict, call) => {
    const last = [...dict.entries.values()].at(-1)
    if (!last) return undefined
    dict.take(last.key.key)
    return call.values([last.key, last.value])
  },
  getOrInsert: (dict, call, key, value) => {
    if (!dict.entries.has(keyOf(bytes(key)))) dict.set(call, key, value)
    return call.value(dict.get(key))
  },
  read,
  replace: (dict, call, key, version, value) => {
    const found = dict.get(key)?.version ?? 0
    if (found !== version) return read(dict, call, key)
    dict.set(call, key, value)
    return undefined
  },
  all: (dict, call) => [...dict.entries.values()].map(({ key, value }) => call.values([key, value])),
  keys: (dict, call) => call.object(call.client.adopt(new Cursor(cells(dict, ({ key }) => [key])))),
  values: (dict, call) => call.object(call.client.adopt(new Cursor(cells(dict, ({ value }) => [value])))),
  entries: (dict, call) =>
    call.object(call.client.adopt(new Cursor(cells(dict, ({ key, value }) => [key, value])))),
  watch: (dict, call, key, most) =>
    call.object(
      call.client.adopt(
        dict.watchers.add(key === undefined ? undefined : keyOf(bytes(key)), integer(most, 1, 1e6)),
      ),
    ),
}

function* cells(dict: StoredDict, pick: (entry: Entry) => Cell[]): Generator<Cell[]> {
  for (const entry of dict.entries.values()) yield pick(entry)
}
