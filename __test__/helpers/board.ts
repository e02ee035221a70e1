import type { SharedMemory } from 'crossmem'

/**
 * Notes in shared memory, which outlive the processes that write them: pages of as many 32-bit
 * words each, and bytes behind the pages. All are zero at first. The first word of page 0 says
 * whether all is over.
 */
export abstract class Board implements Disposable {
  protected words: Int32Array
  readonly #memory: SharedMemory
  readonly #pageWords: number

  constructor(memory: SharedMemory, pageWords: number, pages: number) {
    this.#memory = memory
    this.#pageWords = pageWords
    this.words = new Int32Array(memory.buffer, 0, pageWords * pages)
  }

  get name(): string {
    return this.#memory.name
  }

  get isOver(): boolean {
    return Atomics.load(this.words, 0) !== 0
  }

  end(): void {
    Atomics.store(this.words, 0, 1)
  }

  [Symbol.dispose](): void {
    this.#memory.close()
  }

  /** A page, or its first words. */
  protected page(number: number, words = this.#pageWords): Int32Array {
    const at = number * this.#pageWords
    return this.words.subarray(at, at + words)
  }

  /** One of the parts of equal length, in bytes, that lie behind the pages. */
  protected part(number: number, length: number): Uint8Array {
    const at = this.words.byteLength + number * length
    return this.#memory.bytes.subarray(at, at + length)
  }
}
