import { CrossmemError } from '../errors.js'
import { attempts, nativeRecordQueues, ownerWord, recordQueueOffsets, transfers } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'

// The ring of `queues/record_ring.rs`. JavaScript takes an end, copies records and gives the end
// back without a call while no agent waits there. The addon does all else: waiting, wake-ups,
// errors.

const { CONSUMERS, PRODUCERS, ENDS_AT, END_BYTES, OWNER_AT, ENDED_AT, DESCRIPTION_AT } = recordQueueOffsets
const { TRY, IN_TURN } = attempts
const { HELD_HERE } = transfers
const FREE = 0n
// Bound here: what is imported is read through accessors of two modules at each use.
const { enterRecords, leaveRecords, wakeRecords } = nativeRecordQueues

/** The indices of the two positions and of the end, in words of 4 bytes. */
const HEAD = (ENDS_AT + CONSUMERS * END_BYTES) / 4
const TAIL = (ENDS_AT + PRODUCERS * END_BYTES) / 4
const ENDED = ENDED_AT / 4
/** The indices of the owner words, in words of 8 bytes. */
const owners = [CONSUMERS, PRODUCERS].map(side => (ENDS_AT + side * END_BYTES + OWNER_AT) / 8)
const HEAD_OWNER = owners[CONSUMERS] as number
const TAIL_OWNER = owners[PRODUCERS] as number
/**
 * Of the lower half of an owner word: whether agents sleep at the end, and which agent has it.
 */
const WAITERS = 2 ** 31
const SLOT = 0xffff

/** Records that lie side by side in the ring. */
export interface Slots {
  /** The slot of the first one. */
  first: number
  count: number
}

/** The memory of a queue of records, and both of its ends. */
export class RecordRing {
  readonly capacity: number
  readonly recordBytes: number
  /** All slots, one behind the other. */
  readonly bytes: Uint8Array
  readonly #object: SharedObject
  readonly #words: Uint32Array
  readonly #owners: BigUint64Array
  readonly #us: bigint
  /** Positions count modulo this. */
  readonly #cycle: number

  constructor(object: SharedObject, recordsAt: number, capacity: number, recordBytes: number) {
    const { buffer } = object.segment
    this.capacity = capacity
    this.recordBytes = recordBytes
    this.bytes = new Uint8Array(buffer, recordsAt, capacity * recordBytes)
    this.#object = object
    this.#words = new Uint32Array(buffer, 0, DESCRIPTION_AT / 4)
    this.#owners = new BigUint64Array(buffer, 0, DESCRIPTION_AT / 8)
    this.#us = ownerWord() ?? FREE
    this.#cycle = Math.floor(2 ** 32 / capacity) * capacity
  }

  /**
   * Puts as many as there is room for of `count` records, from that one on. Returns how many, or
   * one of `transfers`.
   */
  put(records: Uint8Array, from: number, count: number, mode: number): number {
    const entered = this.#takeIdle(PRODUCERS, mode) || this.#enter(PRODUCERS, mode)
    if (entered <= 0) return entered
    // From here on until the end is given back, nothing runs but operations of the engine: a call
    // of a function could find the stack full, and leave without giving it back.
    const words = this.#words
    const { bytes, capacity, recordBytes: each } = this
    let put = 0
    try {
      const tail = words[TAIL] as number
      const room = Math.min(entered, count)
      const slot = tail % capacity
      const here = Math.min(room, capacity - slot)
      if (records.length === each) bytes.set(records, slot * each)
      else {
        const start = from * each
        bytes.set(records.subarray(start, start + here * each), slot * each)
        if (here < room) bytes.set(records.subarray(start + here * each, start + room * each), 0)
      }
      put = room
      // A producer that dies before this store has put nothing, and behind it all of them.
      Atomics.store(words, TAIL, (tail + room) % this.#cycle)
    } finally {
      if (Atomics.compareExchange(this.#owners, TAIL_OWNER, this.#us, FREE) !== this.#us)
        leaveRecords(this.#object.handle, PRODUCERS)
    }
    if (this.#areWaiting(HEAD_OWNER)) wakeRecords(this.#object.handle, CONSUMERS)
    return put
  }

  /** Takes a record into `to`. Returns 1, or one of `transfers`. */
  takeOne(to: Uint8Array, mode: number): number {
    const entered = this.#takeIdle(CONSUMERS, mode) || this.#enter(CONSUMERS, mode)
    if (entered <= 0) return entered
    const words = this.#words
    const { bytes, capacity, recordBytes: each } = this
    try {
      const head = words[HEAD] as number
      const start = (head % capacity) * each
      // For the few bytes that a record has, a loop is faster than a view and its copy.
      if (each <= 64) for (let i = 0; i < each; i++) to[i] = bytes[start + i] as number
      else to.set(bytes.subarray(start, start + each))
      Atomics.store(words, HEAD, (head + 1) % this.#cycle)
    } finally {
      if (Atomics.compareExchange(this.#owners, HEAD_OWNER, this.#us, FREE) !== this.#us)
        leaveRecords(this.#object.handle, CONSUMERS)
    }
    if (this.#areWaiting(TAIL_OWNER)) wakeRecords(this.#object.handle, PRODUCERS)
    return 1
  }

  /** Takes at most `most` records. Returns a copy of their bytes, or one of `transfers`. */
  takeMany(most: number, mode: number): Uint8Array | number {
    const entered = this.#takeIdle(CONSUMERS, mode) || this.#enter(CONSUMERS, mode)
    if (entered <= 0) return entered
    const words = this.#words
    const { bytes, capacity, recordBytes: each } = this
    let records: Uint8Array
    try {
      const head = words[HEAD] as number
      const count = Math.min(entered, most)
      const slot = head % capacity
      const here = Math.min(count, capacity - slot)
      records = new Uint8Array(count * each)
      records.set(bytes.subarray(slot * each, (slot + here) * each))
      if (here < count) records.set(bytes.subarray(0, (count - here) * each), here * each)
      Atomics.store(words, HEAD, (head + count) % this.#cycle)
    } finally {
      if (Atomics.compareExchange(this.#owners, HEAD_OWNER, this.#us, FREE) !== this.#us)
        leaveRecords(this.#object.handle, CONSUMERS)
    }
    if (this.#areWaiting(TAIL_OWNER)) wakeRecords(this.#object.handle, PRODUCERS)
    return records
  }

  /**
   * Takes the consumers' end and shows at most `most` records, up to the ring's end. They stay in
   * the queue until `giveBack`. Otherwise returns one of `transfers`.
   */
  hold(most: number, mode: number): Slots | number {
    const entered = this.#takeIdle(CONSUMERS, mode) || this.#enter(CONSUMERS, mode)
    if (entered <= 0) return entered
    const first = (this.#words[HEAD] as number) % this.capacity
    return { first, count: Math.min(entered, most, this.capacity - first) }
  }

  /** Gives the consumers' end back. The first `count` records are taken. */
  giveBack(count: number): void {
    const words = this.#words
    if (words.length > 0 && count > 0)
      Atomics.store(words, HEAD, ((words[HEAD] as number) + count) % this.#cycle)
    leaveRecords(this.#object.handle, CONSUMERS)
    if (count > 0) wakeRecords(this.#object.handle, PRODUCERS)
  }

  /**
   * Takes an end that is free, without sleepers and without a dead holder, if there is something to
   * do. Returns how many slots there are, or 0: then the addon has to do it.
   */
  #takeIdle(side: number, mode: number): number {
    // If this environment is registered as a sleeper, only a call into the addon removes it.
    if (mode !== TRY && mode !== IN_TURN) return 0
    const words = this.#words
    const owner = side === PRODUCERS ? TAIL_OWNER : HEAD_OWNER
    if (words.length === 0) throw this.#gone()
    if (Atomics.compareExchange(this.#owners, owner, FREE, this.#us) !== FREE) return 0
    const isEnded = Atomics.load(words, ENDED) !== 0
    const head = Atomics.load(words, HEAD)
    const tail = Atomics.load(words, TAIL)
    const used = tail < head ? tail - head + this.#cycle : tail - head
    const isSound = used <= this.capacity && head < this.#cycle && tail < this.#cycle
    const slots = side === PRODUCERS ? this.capacity - used : used
    if (isSound && slots > 0 && !(isEnded && side === PRODUCERS)) return slots
    if (Atomics.compareExchange(this.#owners, owner, this.#us, FREE) !== this.#us)
      leaveRecords(this.#object.handle, side)
    return 0
  }

  /** Takes an end by a call. Returns how many slots there are, or one of `transfers`. */
  #enter(side: number, mode: number): number {
    const { handle, held } = this.#object
    // The addon reads the room anew, and the header may have been overwritten.
    const enter = (): number => Math.min(enterRecords(handle, side, mode), this.capacity)
    const entered = enter()
    if (entered !== HELD_HERE || (side === CONSUMERS && held.size > 0)) return entered
    // No call of this thread is inside. An earlier one ended, for lack of stack, before it gave the
    // end back; what it has not published counts as not done.
    leaveRecords(handle, side)
    return enter()
  }

  /** Whether agents sleep at an end that no agent has. */
  #areWaiting(owner: number): boolean {
    // The store to the position and this load are sequentially consistent: an agent that went to
    // sleep without seeing the change is seen.
    const low = Atomics.load(this.#words, 2 * owner)
    return low >= WAITERS && (low & SLOT) === 0
  }

  /** The error when there is no memory: the handle was closed, or the buffer transferred. */
  #gone(): unknown {
    try {
      void this.#object.segment.buffer
    } catch (error) {
      return error
    }
    return new CrossmemError('ERR_DETACHED', `the memory of "${this.#object.name}" was taken away`)
  }
}
