import { CrossmemError } from '../errors.js'
import {
  codes,
  formats,
  type ListItem,
  type Packed,
  pack,
  packFormat,
  unpackFormat,
  unpackText,
  unpackWord,
  withoutPadding,
} from './list-items.js'
import { type ListLayout, WORD, writeLayout } from './list-layout.js'

/**
 * The items of a list in memory, by their index.
 *
 * A number, boolean or null in place of one of the same type is one store, so it is there whole or
 * not at all. Other changes are several stores. What a reader sees if the writer dies after each:
 *
 * | stored | the item is |
 * | --- | --- |
 * | nothing | the one before |
 * | the code of `null` | `null` |
 * | the format | `null` |
 * | the 8 bytes, or some of the text | `null` |
 * | the code | the new one |
 *
 * The next `set` of the item repairs it: it stores all of this again.
 */
export class ListCells {
  readonly #layout: ListLayout
  readonly #words: BigInt64Array
  readonly #bytes: Uint8Array

  constructor(layout: ListLayout, buffer: ArrayBuffer) {
    this.#layout = layout
    this.#words = new BigInt64Array(buffer, 0, Math.floor(buffer.byteLength / WORD))
    this.#bytes = new Uint8Array(buffer)
  }

  /** A new list: the bytes of its memory. */
  static bytesOf(layout: ListLayout, items: readonly Packed[]): Uint8Array {
    // Whole words, since the list's last bytes are codes.
    const buffer = new ArrayBuffer(WORD * Math.ceil(layout.byteLength / WORD))
    const cells = new ListCells(layout, buffer)
    writeLayout(layout, cells.#words)
    for (const [i, item] of items.entries()) cells.#store(i, item, item.room)
    return new Uint8Array(buffer, 0, layout.byteLength)
  }

  /** The formats of all items, as Python joins them. */
  get format(): string {
    return Array.from({ length: this.#layout.length }, (_, i) => unpackFormat(this.#format(i))).join('')
  }

  /** @throws {CrossmemError} ERR_CORRUPT: what is there is no item */
  get(i: number): ListItem {
    const code = Atomics.load(this.#bytes, this.#layout.codes + i)
    if (code === codes.none) return null
    const format = this.#format(i)
    const item =
      code === codes.plain
        ? unpackWord(format, Atomics.load(this.#words, this.#start(i) / WORD))
        : this.#row(i, format, code)
    if (item !== undefined) return item
    throw new CrossmemError(
      'ERR_CORRUPT',
      `the bytes of item ${i} are no item of code ${code} and format '${unpackFormat(format)}': a process of Python was killed while it changed the item, two changed it at once, or Python cut off its text; set it again`,
    )
  }

  #row(i: number, format: bigint, code: number): ListItem | undefined {
    const [, digits] = /^(\d+)s$/.exec(unpackFormat(format)) ?? []
    const length = Number(digits)
    if (!(length <= this.#room(i))) return undefined
    const start = this.#start(i)
    const bytes = withoutPadding(this.#bytes.slice(start, start + length))
    return code === codes.bytes ? bytes : code === codes.text ? unpackText(bytes) : undefined
  }

  /** @throws {CrossmemError} ERR_INVALID_ARG, ERR_TOO_LARGE: the item doesn't fit */
  set(i: number, item: unknown): void {
    const isFloat =
      this.#format(i) === formats.float && Atomics.load(this.#bytes, this.#layout.codes + i) === codes.plain
    const packed = pack(item, isFloat)
    const room = this.#room(i)
    if (packed.bytes && packed.bytes.length > room) {
      throw new CrossmemError(
        'ERR_TOO_LARGE',
        `item ${i} has room for ${room} bytes, and this one has ${packed.bytes.length}; create the list with a longer item there`,
      )
    }
    this.#store(i, packed, room)
  }

  #store(i: number, { code, format, word, bytes }: Packed, room: number): void {
    const at = this.#layout.codes + i
    const start = this.#start(i)
    const wanted = format ?? packFormat(`${room}s`)
    const isSameType = this.#format(i) === wanted && Atomics.load(this.#bytes, at) === code
    if (word !== undefined && isSameType) {
      Atomics.store(this.#words, start / WORD, word)
      return
    }
    Atomics.store(this.#bytes, at, codes.none)
    Atomics.store(this.#words, this.#layout.formats / WORD + i, wanted)
    if (word !== undefined) Atomics.store(this.#words, start / WORD, word)
    if (bytes) {
      this.#bytes.set(bytes, start)
      this.#bytes.fill(0, start + bytes.length, start + room)
    }
    Atomics.store(this.#bytes, at, code)
  }

  #format(i: number): bigint {
    return Atomics.load(this.#words, this.#layout.formats / WORD + i)
  }

  #start(i: number): number {
    return this.#layout.bounds[i] as number
  }

  #room(i: number): number {
    return (this.#layout.bounds[i + 1] as number) - this.#start(i)
  }
}
