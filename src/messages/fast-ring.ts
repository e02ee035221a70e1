import { CrossmemError } from '../errors.js'
import { nativeQueues, nativeSegments, ownerWord, ringOffsets } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'

// Pushes and pops records without a call into the addon, as `queues/spsc.rs` does it, while there
// is room or a record. The addon does everything else: records that wrap around the end of the
// ring, waiting, errors, corrupt fields.

const { ENDS_AT, END_BYTES, CLOSED_AT, RINGS_AT, RING_BYTES, HEAD_AT, EMPTY_AT, FULL_AT, RECORDS_AT } =
  ringOffsets
const { LEAST_BYTES, POSITION, UNIT } = ringOffsets

/** The units of 8 bytes that a record takes: its header and its bytes. */
const units = (length: number): number => 1 + ((length + 7) >>> 3)

/** A ring of a channel, towards end `ring`. */
class FastRing {
  protected readonly handle: number
  protected readonly ring: number
  /** The atomic fields of the channel, 4 bytes each. */
  protected readonly words: Int32Array
  /** The headers of records: in each unit, a length and a position. */
  protected readonly headers: Uint32Array
  protected readonly bytes: Uint8Array
  /** The ring's size in units, and the most bytes of a record. */
  protected readonly size: number
  protected readonly most: number
  protected readonly tail: number
  protected readonly head: number
  /** The other side's position, as last loaded. */
  protected seen: number
  /**
   * This side's position after its last push or pop here. If it differs now, the addon moved it,
   * and `seen` may be stale.
   */
  protected left: number | undefined
  /** The index of this end's owner word, and its value while this environment has the end. */
  readonly #owner: number
  readonly #us: [low: number, high: number]

  protected constructor({ handle, segment }: SharedObject, ring: number, end: number) {
    const sizes = nativeSegments.objectParams(handle)
    const bytes = sizes[ring] as number
    const recordsAt = RECORDS_AT + (ring === 1 ? (sizes[0] as number) : 0)
    const isSound = bytes === 0 || (bytes >= LEAST_BYTES && Number.isInteger(Math.log2(bytes)))
    if (!isSound || !(recordsAt + bytes <= segment.byteLength)) {
      throw new CrossmemError('ERR_CORRUPT', `the header of "${segment.name}" was overwritten; make it anew`)
    }
    const wordsAt = (RINGS_AT + ring * RING_BYTES) / 4
    this.handle = handle
    this.ring = ring
    this.words = new Int32Array(segment.buffer, 0, RECORDS_AT / 4)
    this.headers = new Uint32Array(segment.buffer, recordsAt, bytes / 4)
    this.bytes = new Uint8Array(segment.buffer, recordsAt, bytes)
    this.size = bytes / UNIT
    this.most = bytes / 2 - UNIT
    this.tail = wordsAt
    this.head = wordsAt + HEAD_AT / 4
    this.seen = Atomics.load(this.words, this.head)
    this.#owner = (ENDS_AT + end * END_BYTES) / 4
    const word = ownerWord() ?? 0n
    this.#us = [Number(BigInt.asIntN(32, word)), Number(BigInt.asIntN(32, word >> 32n))]
  }

  /** Whether this environment has the end. It is `false` once the object is closed. */
  protected get isOurs(): boolean {
    const [low, high] = this.#us
    return this.words[this.#owner] === low && this.words[this.#owner + 1] === high
  }
}

/** The side that pushes. */
export class FastProducer extends FastRing {
  /** @param ring the one towards the other end */
  constructor(object: SharedObject, ring: number) {
    super(object, ring, 1 - ring)
  }

  /** Pushes a record. `false` means that the addon has to do it. */
  push(message: Uint8Array): boolean {
    const { words, size, tail: at } = this
    const { length } = message
    const tail = words[at] as number
    const unit = tail & (size - 1)
    const end = unit + units(length)
    if (length > this.most || end > size || !this.isOurs || this.#isClosed()) return false
    if (tail !== this.left || !this.#isRoom(tail, end - unit)) {
      this.seen = Atomics.load(words, this.head)
      if (!this.#isRoom(tail, end - unit)) return false
    }
    this.headers[2 * unit] = length
    this.headers[2 * unit + 1] = (tail & POSITION) << 8
    this.bytes.set(message, 8 * unit + 8)
    this.left = (tail + end - unit) | 0
    Atomics.store(words, at, this.left)
    // The store and this load are sequentially consistent: a consumer that went to sleep without
    // seeing the record is seen.
    if (Atomics.load(words, at + EMPTY_AT / 4) !== 0) nativeQueues.wakePeer(this.handle, 1 - this.ring, true)
    return true
  }

  #isRoom(tail: number, needed: number): boolean {
    const used = (tail - this.seen) >>> 0
    return used <= this.size && needed <= this.size - used
  }

  #isClosed(): boolean {
    const { words } = this
    return words[(ENDS_AT + CLOSED_AT) / 4] !== 0 || words[(ENDS_AT + END_BYTES + CLOSED_AT) / 4] !== 0
  }
}

/** The side that pops. */
export class FastConsumer extends FastRing {
  /** @param ring the one towards this end */
  constructor(object: SharedObject, ring: number) {
    super(object, ring, ring)
  }

  /** Pops a copy of the first record. `undefined` means that the addon has to do it. */
  pop(): Uint8Array | undefined {
    const { words, size, head: at } = this
    if (!this.isOurs) return undefined
    const head = words[at] as number
    let ready = (this.seen - head) >>> 0
    if (head !== this.left || ready === 0 || ready > size) {
      this.seen = Atomics.load(words, this.tail)
      ready = (this.seen - head) >>> 0
      if (ready === 0 || ready > size) return undefined
    }
    const unit = head & (size - 1)
    const length = this.headers[2 * unit] as number
    const needed = units(length)
    // The addon handles everything but a whole message in one piece at its own position.
    if (this.headers[2 * unit + 1] !== ((head & POSITION) << 8) >>> 0) return undefined
    if (length > this.most || needed > ready || needed > size - unit) return undefined
    const start = 8 * unit + 8
    const message = this.bytes.slice(start, start + length)
    this.left = (head + needed) | 0
    Atomics.store(words, at, this.left)
    if (Atomics.load(words, this.tail + FULL_AT / 4) !== 0)
      nativeQueues.wakePeer(this.handle, this.ring, false)
    return message
  }
}
