import { company, nativeSegments } from '../native/index.js'

const { LINKED, OTHERS } = company

/**
 * What a wait at an object relies on: that the object keeps its name, and that another process has
 * it open.
 */
export class Company {
  readonly #handle: number
  #known = 0
  #seen = 0

  constructor(handle: number) {
    this.#handle = handle
  }

  /**
   * Takes what is there now as known: losing it ends waits. Each wait begins with this, so a
   * process that was there a moment ago will do: `lost` notices if it is gone.
   */
  meet(): void {
    this.#seen = this.#known = nativeSegments.objectCompany(this.#handle, true)
  }

  /** What was lost since the last call, as bits of `company`. */
  lost(): number {
    const before = this.#known
    const now = nativeSegments.objectCompany(this.#handle, false)
    // A process that was seen only once may have opened the object for a moment, as `crossmem
    // inspect` does.
    this.#known = now & (before | this.#seen)
    this.#seen = now
    return before & ~this.#known
  }
}

export const isUnlinked = (lost: number): boolean => (lost & LINKED) !== 0
export const isAlone = (lost: number): boolean => (lost & OTHERS) !== 0
