import { hasEnded, ROOM } from '../messages/index.js'
import { attempts, transfers } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import {
  loopIsStarved,
  loopTurn,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import type { RecordRing } from './record-ring.js'

const { TRY, IN_TURN } = attempts
const { ENDED } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const isStarved = loopIsStarved

/** Puts encoded records into a ring, in the order of the calls. */
export class RecordSink {
  readonly #object: SharedObject
  readonly #ring: RecordRing

  constructor(object: SharedObject, ring: RecordRing) {
    this.#object = object
    this.#ring = ring
  }

  /** Puts as many as there is room for now, none while puts of this environment wait. */
  tryPut(records: Uint8Array, count: number): number {
    return count > 0 && this.#object.isIdle(ROOM) ? (this.#attempt(records, 0, count, TRY) ?? 0) : 0
  }

  /** Puts all. The bytes are copied before this waits. */
  async put(records: Uint8Array, count: number, options: WaitOptions | undefined): Promise<void> {
    let done = this.#object.isIdle(ROOM) ? this.#putNow(records, count) : 0
    const rest = done < count ? records.slice(0, count * this.#ring.recordBytes) : records
    while (done < count) {
      done += await this.#object.wait(this.#spec(rest, done, count), options, ROOM)
      if (this.#object.isIdle(ROOM)) done += this.#putNow(rest, count, done)
    }
    if (isStarved()) await loopTurn()
  }

  putSync(records: Uint8Array, count: number, options: SyncWaitOptions | undefined): void {
    let done = this.#putNow(records, count)
    while (done < count) done += this.#object.waitSync(this.#spec(records, done, count), options, ROOM)
  }

  #putNow(records: Uint8Array, count: number, first = 0): number {
    return first < count ? (this.#attempt(records, first, count, IN_TURN) ?? 0) : 0
  }

  #attempt(records: Uint8Array, first: number, count: number, mode: number): number | undefined {
    const put = this.#ring.put(records, first, count - first, mode)
    if (put === ENDED) throw hasEnded(this.#object.name)
    return put > 0 ? put : undefined
  }

  #spec(records: Uint8Array, first: number, count: number): WaitSpec<number> {
    return {
      attempt: mode => this.#attempt(records, first, count, mode),
      doing: `putting into "${this.#object.name}"`,
    }
  }
}
