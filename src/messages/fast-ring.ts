import { CrossmemError } from '../errors.js'
import { nativeQueues, nativeSegments, ownerWord, ringOffsets } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import type { Parcel } from './packing.js'

// Pushes and pops records without a call into the addon, as `queues/spsc.rs` does it, while there
// is room or a record. The addon does everything else: records that wrap around the end of the
// ring, waiting, errors, corrupt fields.

const { ENDS_AT, END_BYTES, CLOSED_AT, RINGS_AT, RING_BYTES, HEAD_AT, EMPTY_AT, FULL_AT, RECORDS_AT } =
  ringOffsets
const { LEAST_BYTES, POSITION, UNIT } = ringOffsets

/**
 * Units of records that share one buffer, which stays in memory as long as one of them does. The
 * last of them may go beyond.
 */
const MOST_AT_ONCE = 1 << 13

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

  /**
   * Pushes a record. `false` means that the addon has to do it.
   *
   * @param wakes whether a consumer that sleeps is woken; else `wake` follows
   */
  push(message: Uint8Array, wakes = true): boolean {
    if (!this.#isOpen) return false
    const tail = this.words[this.tail] as number
    const end = this.#write(message, tail)
    if (end === tail) return false
    this.#publish(end)
    if (wakes) this.wake()
    return true
  }

  /**
   * Pushes records from index `first` on, all with one store and one wake-up. Returns the index of
   * the first one that the addon has to push.
   */
  pushMany(messages: Parcel, first: number): number {
    if (!this.#isOpen) return first
    let at = first
    let tail = this.words[this.tail] as number
    for (; at < messages.count; at++) {
      const end = this.#write(messages.at(at), tail)
      if (end === tail) break
      tail = end
    }
    if (at > first) {
      this.#publish(tail)
      this.wake()
    }
    return at
  }

  get #isOpen(): boolean {
    const { words } = this
    const isClosed =
      words[(ENDS_AT + CLOSED_AT) / 4] !== 0 || words[(ENDS_AT + END_BYTES + CLOSED_AT) / 4] !== 0
    return this.isOurs && !isClosed
  }

  /**
   * Writes a record to a position. Returns the position behind it, or the same one if there is no
   * room in one piece.
   */
  #write(message: Uint8Array, tail: number): number {
    const { size } = this
    const { length } = message
    const unit = tail & (size - 1)
    const needed = units(length)
    if (length > this.most || unit + needed > size) return tail
    if (tail !== this.left || !this.#isRoom(tail, needed)) {
      this.seen = Atomics.load(this.words, this.head)
      if (!this.#isRoom(tail, needed)) return tail
    }
    this.headers[2 * unit] = length
    this.headers[2 * unit + 1] = (tail & POSITION) << 8
    this.bytes.set(message, 8 * unit + 8)
    this.left = (tail + needed) | 0
    return this.left
  }

  /** From here on the records are there, whatever becomes of this process. */
  #publish(tail: number): void {
    Atomics.store(this.words, this.tail, tail)
  }

  /** Wakes a consumer that sleeps. */
  wake(): void {
    // This load and the store of the tail are sequentially consistent: a consumer that went to
    // sleep without seeing a record is seen.
    if (Atomics.load(this.words, this.tail + EMPTY_AT / 4) !== 0)
      nativeQueues.wakePeer(this.handle, 1 - this.ring, true)
  }

  #isRoom(tail: number, needed: number): boolean {
    const used = (tail - this.seen) >>> 0
    return used <= this.size && needed <= this.size - used
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
    const head = this.words[this.head] as number
    if (!this.isOurs || !this.#isReady(head)) return undefined
    const length = this.#lengthAt(head)
    if (length < 0) return undefined
    const start = 8 * (head & (this.size - 1)) + 8
    const message = this.bytes.slice(start, start + length)
    this.#release((head + units(length)) | 0)
    return message
  }

  /**
   * Pops copies of at most `most` records, with one copy, one store and one wake-up for those that
   * lie in a row. Returns how many. If it is 0, the addon has to do it.
   */
  popMany(most: number, to: Uint8Array[]): number {
    const head = this.words[this.head] as number
    if (!this.isOurs || !this.#isReady(head)) return 0
    const first = head & (this.size - 1)
    const lengths: number[] = []
    let end = first
    while (lengths.length < most && end < this.size && end - first < MOST_AT_ONCE) {
      const position = (head + end - first) | 0
      const length = position === this.seen ? -1 : this.#lengthAt(position)
      if (length < 0) break
      lengths.push(length)
      end += units(length)
    }
    if (end === first) return 0
    const { buffer } = this.bytes.slice(8 * first, 8 * end)
    let at = 8
    for (const length of lengths) {
      to.push(new Uint8Array(buffer, at, length))
      at += 8 * units(length)
    }
    this.#release((head + end - first) | 0)
    return lengths.length
  }

  /** Whether there is a record at that position, the first one. */
  #isReady(head: number): boolean {
    const isThere = (): boolean => {
      const ready = (this.seen - head) >>> 0
      return ready > 0 && ready <= this.size
    }
    if (head === this.left && isThere()) return true
    this.seen = Atomics.load(this.words, this.tail)
    return isThere()
  }

  /**
   * The length of the record at that position, which is before `seen`; -1 if it isn't a whole
   * message in one piece at its own position.
   */
  #lengthAt(position: number): number {
    const unit = position & (this.size - 1)
    const length = this.headers[2 * unit] as number
    if (this.headers[2 * unit + 1] !== ((position & POSITION) << 8) >>> 0) return -1
    const needed = units(length)
    const isSound =
      length <= this.most && needed <= (this.seen - position) >>> 0 && needed <= this.size - unit
    return isSound ? length : -1
  }

  #release(head: number): void {
    const { words } = this
    this.left = head
    Atomics.store(words, this.head, head)
    if (Atomics.load(words, this.tail + FULL_AT / 4) !== 0)
      nativeQueues.wakePeer(this.handle, this.ring, false)
  }
}
