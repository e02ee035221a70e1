import { SharedMemory } from 'crossmem'
import { Board } from '../helpers/board.js'
import { streams } from '../storm/streams.js'
import { RollingAccounts } from './accounts.js'
import { lanes } from './lanes.js'

/** Seats of processes; a worker thread of one has the seat that is so many further. */
export const SEATS = 32
/** Messages of a stream that can be on their way, or not yet counted. */
const ACCOUNTS_BYTES = RollingAccounts.bytesFor(2 ** 18)
/** More than there can be at a time. */
const SPEAKING = 1024

// Words of page 0, behind the one that says whether all is over.
const LIVES = 1
const TERMINATED = 2
const CONVERSATIONS = 3

/** What a life is doing in a lane. */
export const states = ['nothing', 'waiting', 'holding', 'waking', 'ended'] as const
export type State = (typeof states)[number]

/** Words of a page. */
const PAGE = 64

// Pages.
const GUARDED = 1
const TOLD = GUARDED + lanes.length
const OPERATIONS = TOLD + 1
const IN_HANDS = OPERATIONS + 1
const DOING = IN_HANDS + 1
const HANDS = DOING + 2 * SEATS
const COMPLETED = HANDS + 2 * SEATS
const LONGEST = COMPLETED + 2 * SEATS
const SAID = LONGEST + 2 * SEATS
const PAGES = SAID + SPEAKING / PAGE

/** What all lives of a soak note. Pages are by lane or by stream. */
export class SoakBoard extends Board {
  readonly accounts: readonly RollingAccounts[]

  constructor(memory: SharedMemory) {
    super(memory, PAGE, PAGES)
    this.accounts = streams.map((_, i) => new RollingAccounts(this.part(i, ACCOUNTS_BYTES)))
  }

  static create(): SoakBoard {
    return new SoakBoard(SharedMemory.create(null, 4 * PAGE * PAGES + streams.length * ACCOUNTS_BYTES))
  }

  /** A number for a thread that begins. */
  newLife(): number {
    return Atomics.add(this.words, LIVES, 1)
  }

  /** Threads that were terminated in the midst of their work. */
  get terminated(): number {
    return Atomics.load(this.words, TERMINATED)
  }

  noteTermination(): void {
    Atomics.add(this.words, TERMINATED, 1)
  }

  /** Words that only the holder of a lane's lock changes. */
  guarded(lane: number): Int32Array {
    return this.page(GUARDED + lane)
  }

  /** How many deaths were told, by lane. */
  get told(): Int32Array {
    return this.page(TOLD)
  }

  /** Operations of all lives, by lane. */
  get operations(): Int32Array {
    return this.page(OPERATIONS)
  }

  /** How many messages the dead may have held, by stream. */
  get inHands(): Int32Array {
    return this.page(IN_HANDS)
  }

  /** Numbers of `states`, by lane. */
  doing(seat: number): Int32Array {
    return this.page(DOING + seat)
  }

  /**
   * How many messages a seat may hold, from before it takes them until it is done with them; by
   * stream.
   */
  hands(seat: number): Int32Array {
    return this.page(HANDS + seat)
  }

  /** Operations that a seat completed, by lane. */
  completed(seat: number): Int32Array {
    return this.page(COMPLETED + seat)
  }

  /** The longest turns of a seat, in microseconds; by lane. */
  longest(seat: number): Int32Array {
    return this.page(LONGEST + seat)
  }

  /** A number for a conversation that begins. */
  newConversation(): number {
    const number = Atomics.add(this.words, CONVERSATIONS, 1)
    this.said(number)[0] = 0
    return number
  }

  /** A word: how many sentences were said in a conversation. */
  said(conversation: number): Int32Array {
    const at = SAID * PAGE + (conversation % SPEAKING)
    return this.words.subarray(at, at + 1)
  }

  /** Notes that the life in a seat is dead, and how many messages may be lost with it. */
  bury(seat: number): void {
    const hands = this.hands(seat)
    for (let stream = 0; stream < streams.length; stream++) {
      Atomics.add(this.inHands, stream, Atomics.exchange(hands, stream, 0))
    }
    this.doing(seat).fill(0)
  }

  /** What was noted can still be read. */
  override [Symbol.dispose](): void {
    this.words = this.words.slice()
    super[Symbol.dispose]()
  }
}
