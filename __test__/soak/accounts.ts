import type { Balance } from '../storm/ledger.js'
import type { Accounts } from '../storm/queues.js'

/** In a message's account: its put has returned. The other bits count how often it was taken. */
const PUT = 0x80
const WORDS = 2
const NEXT = 0
const CLOSED = 1

/**
 * An account of every message of a stream without end, in shared memory. One process closes the
 * accounts of messages that are long gone, so that there is room for new ones.
 */
export class RollingAccounts implements Accounts {
  static bytesFor = (messages: number): number => 4 * WORDS + messages
  readonly #words: Int32Array
  readonly #accounts: Uint8Array

  constructor(memory: Uint8Array) {
    this.#words = new Int32Array(memory.buffer, memory.byteOffset, WORDS)
    this.#accounts = memory.subarray(4 * WORDS)
  }

  open(count: number): number[] {
    const { length } = this.#accounts
    for (;;) {
      const first = Atomics.load(this.#words, NEXT)
      const free = length - (first - Atomics.load(this.#words, CLOSED))
      const taken = Math.min(count, free)
      if (taken <= 0) return []
      if (Atomics.compareExchange(this.#words, NEXT, first, first + taken) !== first) continue
      return Array.from({ length: taken }, (_, i) => first + i)
    }
  }

  /** The number of the next message. */
  get next(): number {
    return Atomics.load(this.#words, NEXT)
  }

  wasPut(id: number): void {
    Atomics.or(this.#accounts, id % this.#accounts.length, PUT)
  }

  wasTaken(id: number): number {
    return Atomics.add(this.#accounts, id % this.#accounts.length, 1) & ~PUT
  }

  /** Adds the messages before `end` to a balance. */
  close(end: number, balance: Balance): void {
    for (let id = Atomics.load(this.#words, CLOSED); id < end; id++) {
      const account = Atomics.exchange(this.#accounts, id % this.#accounts.length, 0)
      if (account >= PUT) balance.put++
      if (account === PUT) balance.lost++
      if ((account & ~PUT) > 1) balance.again++
      Atomics.store(this.#words, CLOSED, id + 1)
    }
  }
}
