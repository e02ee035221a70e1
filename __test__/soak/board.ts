import { SharedMemory } from 'crossmem'
import { streams } from '../storm/streams.js'
import { RollingAccounts } from './accounts.js'
import { lanes } from './lanes.js'

/** Seats of processes; a worker thread of one has the seat that is so many further. */
export const SEATS = 32
/** Messages of a stream that can be on their way, or not yet counted. */
const MESSAGES = 2 ** 18
/** More than there can be at a time. */
const SPEAKING = 1024

const PAGE = 64
const OVER = 0
const LIVES = 1
const TERMINATED = 2
const CONVERSATIONS = 3

/** What somebody is at, in a lane. */
export const states = ['nothing', 'waiting', 'holding', 'waking', 'ended'] as const
export type State = (typeof states)[number]

// Pages of 64 words, one behind the other.
const GUARDED = 1
const TOLD = GUARDED + lanes.length
const OPERATIONS = TOLD + 1
const IN_HANDS = OPERATIONS + 1
const DOING = IN_HANDS + 1
const HANDS = DOING + 2 * SEATS
const COMPLETED = HANDS + 2 * SEATS
const LONGEST = COMPLETED + 2 * SEATS
const SAID = LONGEST + 2 * SEATS
const ACCOUNTS = 4 * (SAID * PAGE + SPEAKING)

/** What everyone in a soak notes, in shared memory: it outlives whoever notes it. Pages are by lane or by stream. */
export class Board implements Disposable {
  readonly #memory: SharedMemory
  #words: Int32Array
  readonly accounts: readonly RollingAccounts[]

  constructor(memory: SharedMemory) {
    this.#memory = memory
    this.#words = new Int32Array(memory.buffer, 0, ACCOUNTS / 4)
    const length = RollingAccounts.bytesFor(MESSAGES)
    this.accounts = streams.map((_, i) => {
      const at = ACCOUNTS + i * length
      return new RollingAccounts(memory.bytes.subarray(at, at + length))
    })
  }

  static create(): Board {
    const length = ACCOUNTS + streams.length * RollingAccounts.bytesFor(MESSAGES)
    return new Board(SharedMemory.create(null, length))
  }

  get name(): string {
    return this.#memory.name
  }

  get isOver(): boolean {
    return Atomics.load(this.#words, OVER) !== 0
  }

  end(): void {
    Atomics.store(this.#words, OVER, 1)
  }

  /** A number for a thread that begins. */
  newLife(): number {
    return Atomics.add(this.#words, LIVES, 1)
  }

  /** Threads that were terminated in the midst of their work. */
  get terminated(): number {
    return Atomics.load(this.#words, TERMINATED)
  }

  noteTermination(): void {
    Atomics.add(this.#words, TERMINATED, 1)
  }

  /** Words that are changed by whoever has the lock of a lane. */
  guarded(lane: number): Int32Array {
    return this.#page(GUARDED + lane)
  }

  /** How many were told that somebody died, by lane. */
  get told(): Int32Array {
    return this.#page(TOLD)
  }

  /** Operations of everybody, by lane. */
  get operations(): Int32Array {
    return this.#page(OPERATIONS)
  }

  /** How many messages can have been in the hands of those who are dead, by stream. */
  get inHands(): Int32Array {
    return this.#page(IN_HANDS)
  }

  /** Numbers of `states`, by lane. */
  doing(seat: number): Int32Array {
    return this.#page(DOING + seat)
  }

  /** How many messages may be in the hands of a seat, from before it takes them until it is done with them; by stream. */
  hands(seat: number): Int32Array {
    return this.#page(HANDS + seat)
  }

  /** Operations that a seat completed, by lane. */
  completed(seat: number): Int32Array {
    return this.#page(COMPLETED + seat)
  }

  /** The longest turns of a seat, in microseconds; by lane. */
  longest(seat: number): Int32Array {
    return this.#page(LONGEST + seat)
  }

  /** A number for a conversation that begins. */
  newConversation(): number {
    const number = Atomics.add(this.#words, CONVERSATIONS, 1)
    this.said(number)[0] = 0
    return number
  }

  /** A word: how many sentences were said in a conversation. */
  said(conversation: number): Int32Array {
    const at = SAID * PAGE + (conversation % SPEAKING)
    return this.#words.subarray(at, at + 1)
  }

  /** Who had this seat is dead: notes what can be lost. */
  bury(seat: number): void {
    const hands = this.hands(seat)
    for (let stream = 0; stream < streams.length; stream++) {
      Atomics.add(this.inHands, stream, Atomics.exchange(hands, stream, 0))
    }
    this.doing(seat).fill(0)
  }

  /** What was noted can still be read. */
  [Symbol.dispose](): void {
    this.#words = this.#words.slice()
    this.#memory.close()
  }

  #page(number: number): Int32Array {
    return this.#words.subarray(number * PAGE, (number + 1) * PAGE)
  }
}
