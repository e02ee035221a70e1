/** In a message's account: its put has returned. The other bits count how often it was taken. */
const PUT = 0x80
const HEADER = 8

export interface Balance {
  put: number
  /** Messages whose puts returned and that were never taken. */
  lost: number
  /** Messages that were taken more than once. */
  again: number
}

/**
 * An account of every message of a queue, in shared memory: it outlives the producers and
 * consumers.
 */
export class Ledger {
  static bytesFor = (messages: number): number => HEADER + messages
  readonly #next: Int32Array
  readonly #accounts: Uint8Array

  constructor(memory: Uint8Array) {
    this.#next = new Int32Array(memory.buffer, memory.byteOffset, 1)
    this.#accounts = memory.subarray(HEADER)
  }

  /** Numbers for messages that are about to be put in; none once all were used. */
  open(count: number): number[] {
    if (this.isUsedUp) return []
    const first = Atomics.add(this.#next, 0, count)
    const free = this.#accounts.length - first
    return Array.from({ length: Math.max(0, Math.min(count, free)) }, (_, i) => first + i)
  }

  get isUsedUp(): boolean {
    return Atomics.load(this.#next, 0) >= this.#accounts.length
  }

  wasPut(id: number): void {
    Atomics.or(this.#accounts, id, PUT)
  }

  /** Tells how often it was taken before. */
  wasTaken(id: number): number {
    return Atomics.add(this.#accounts, id, 1) & ~PUT
  }

  balance(): Balance {
    const balance = { put: 0, lost: 0, again: 0 }
    for (const account of this.#accounts) {
      if (account >= PUT) balance.put++
      if (account === PUT) balance.lost++
      if ((account & ~PUT) > 1) balance.again++
    }
    return balance
  }
}
