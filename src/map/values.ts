import type { BoundCodec, CodecInPlace, StructureList } from '../codecs/index.js'
import { FACTS_BYTES, payloadOf } from './record.js'

/** Values of a map are written with the names of their properties. */
const NO_STRUCTURES: StructureList = { add: () => 'no room', entries: () => [] }

/**
 * Makes values of records. LMDB copies most records to the same memory, where the codec
 * `'msgpack'` reads them: to show each record to it anew takes as long as to read a small one.
 */
export class Values<T> {
  readonly #codec: BoundCodec<T>
  #shown: ArrayBufferLike | undefined
  #offset = 0
  #reader: CodecInPlace<T> | undefined

  constructor(codec: BoundCodec<T>) {
    this.#codec = codec
  }

  /** @throws {CrossmemError} ERR_CORRUPT */
  of(record: Uint8Array): T {
    const { buffer, byteOffset, length } = record
    if (buffer === this.#shown && byteOffset === this.#offset) {
      const reader = this.#reader as CodecInPlace<T>
      return reader.read(FACTS_BYTES, length)
    }
    // A large record lies in LMDB's file, and that of an iteration in memory of its own.
    if ('isGlobal' in record) this.#show(buffer, byteOffset)
    return this.#codec.decode(payloadOf(record))
  }

  #show(buffer: ArrayBufferLike, offset: number): void {
    const bytes = new Uint8Array(buffer, offset)
    this.#reader = this.#codec.withStructures?.(NO_STRUCTURES, { bytes, user: undefined })
    if (!this.#reader) return
    this.#shown = buffer
    this.#offset = offset
  }
}
