import { now } from '../wait/index.js'

/** So many wrong keys in so many milliseconds are taken from one address. */
const MOST = 10
const WHILE = 60_000
/** So many addresses are remembered. */
const MOST_ADDRESSES = 10_000

/** Keeps those away who guess the key. */
export class Throttle {
  readonly #failures = new Map<string, { count: number; since: number }>()

  admits(address = ''): boolean {
    const found = this.#failures.get(address)
    if (!found) return true
    if (now() - found.since > WHILE) this.#failures.delete(address)
    return found.count < MOST || !this.#failures.has(address)
  }

  /** A wrong key came from there. */
  note(address = ''): void {
    const found = this.#failures.get(address) ?? { count: 0, since: now() }
    found.count++
    this.#failures.set(address, found)
    if (this.#failures.size <= MOST_ADDRESSES) return
    // The oldest one.
    for (const first of this.#failures.keys()) {
      this.#failures.delete(first)
      return
    }
  }
}
