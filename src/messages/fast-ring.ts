import { CrossmemError } from '../errors.js'
import { nativeQueues, nativeSegments, ownerWord, ringOffsets } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'

// Rings of records as long as there is room, or a record, and the other end doesn't sleep: what `spsc.rs` does, without a call into the
// addon. Everything else is the addon's to do: the way around the end of the ring, waiting, errors, words that make no sense.

const { ENDS_AT, END_BYTES, CLOSED_AT, RINGS_AT, RING_BYTES, HEAD_AT, EMPTY_AT, FULL_AT, RECORDS_AT } =
  ringOffsets
const { LEAST_BYTES, POSITION, UNIT } = ringOffsets

/** Units of 8 bytes of a record: its header and its bytes. */
const units = (length: number): number => 1 + ((length + 7) >>> 3)

/** A ring of a channel, towards end `ring`. */
class FastRing {
  protected readonly handle: number
  protected readonly ring: number
  /** 4-byte words of the segment. */
  protected readonly words: Int32Array
  /** Lengths and positions, two words each, in the first 8 bytes of a record. */
  protected readonly headers: Uint32Array
  protected readonly bytes: Uint8Array
  /** Units of the ring, and most bytes of a record. */
  protected readonly size: number
  protected readonly most: number
  protected readonly tail: number
  protected readonly head: number
  /** The other side's position as last seen. */
  protected seen: number
  /** Where this side's own position was left here: if it is elsewhere, the addon has moved it, and `seen` may be of another lap. */
  protected left: number | undefined
  /** Where the owner word of this side's end is, and what it is while the end is ours. */
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

  /** Whether this environment has the end; `false`, too, once the object is closed. */
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

  /** Pushes a record; `false`: ask the addon. */
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
    // Both are in the one order of all atomic operations: whoever sleeps without having seen the record is seen here.
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

  /** Pops the first record, copied; `undefined`: ask the addon. */
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
    // Anything but a whole message that lies where it says: the addon knows.
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
