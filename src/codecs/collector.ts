// Large memory of a value can lie outside of its message. The message then says of each view which
// bytes of which memory it shows, and the caller sends the bytes in its own way.

/** A piece of memory that is not in the message. */
export interface Piece {
  /** The number of the memory that it is a part of. */
  number: number
  /** The memory. */
  memory: ArrayBufferLike
  /** Offset of its first byte in the memory, a multiple of 64. */
  start: number
  /** Offset of the byte behind its last one. */
  end: number
}

/**
 * Returns where bytes are now; `undefined` if the caller needs no bytes. Throws a RangeError if
 * they are nowhere.
 */
export type Locate = (
  number: number,
  at: number,
  length: number,
) => { readonly buffer: ArrayBuffer; readonly offset: number } | undefined

/** Typed arrays of any element are aligned at a multiple of this, and so are caches. */
const ALIGNMENT = 64

/** Decides of each piece of memory in a value whether it is written into the message. */
export class Collector {
  readonly #least: number
  /** All memory of the value. */
  readonly memories = new Set<ArrayBufferLike>()
  /** All handles of the value. */
  readonly handles = new Set<object>()
  /** That of views that were written, since they are small. */
  readonly #written = new Set<ArrayBufferLike>()
  readonly #numbers = new Map<ArrayBufferLike, number>()
  /** For each numbered memory, what of it is shown. */
  readonly #shown: { start: number; end: number }[][] = []
  /** Once all is known: the pieces of each numbered memory. */
  #pieces: Piece[][] | undefined

  /** @param least from so many bytes on, a view's memory isn't written */
  constructor(least: number) {
    this.#least = least
  }

  /** Returns the number of a view's memory if its bytes aren't written, else `undefined`. */
  numberOf(memory: ArrayBufferLike, at: number, length: number): number | undefined {
    this.memories.add(memory)
    if (this.#pieces) {
      const number = this.#numbers.get(memory)
      const pieces = number === undefined ? undefined : this.#pieces[number]
      return pieces?.some(({ start, end }) => start <= at && at + length <= end) ? number : undefined
    }
    if (length < this.#least) {
      this.#written.add(memory)
      return undefined
    }
    const number = this.#numbers.get(memory) ?? this.#shown.push([]) - 1
    this.#numbers.set(memory, number)
    this.#shown[number]?.push({ start: at, end: at + length })
    return number
  }

  /** Whether a view was written that shows numbered memory. */
  get hasSplit(): boolean {
    return [...this.#numbers.keys()].some(memory => this.#written.has(memory))
  }

  /** What isn't written. */
  settle(): Piece[] {
    this.#pieces = [...this.#numbers].map(([memory, number]) => {
      const shown = merge(this.#shown[number] ?? [])
      const bytes = shown.reduce((sum, { start, end }) => sum + end - start, 0)
      // A buffer that is shown for the most part travels whole, so its views keep their offsets.
      const parts = 2 * bytes >= memory.byteLength ? [{ start: 0, end: memory.byteLength }] : shown
      return parts.map(part => ({ number, memory, ...part }))
    })
    return this.#pieces.flat()
  }
}

/** Joins ranges that overlap, and begins each where memory is aligned. */
function merge(ranges: readonly { start: number; end: number }[]): { start: number; end: number }[] {
  const merged: { start: number; end: number }[] = []
  const aligned = ranges.map(({ start, end }) => ({ start: start - (start % ALIGNMENT), end }))
  for (const range of aligned.sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1)
    if (last && range.start < last.end) last.end = Math.max(last.end, range.end)
    else merged.push(range)
  }
  return merged
}
