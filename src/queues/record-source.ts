import { hasCode } from '../errors.js'
import { isDrained, MESSAGE } from '../messages/index.js'
import { attempts, transfers } from '../native/index.js'
import type { ScalarOf, StructDType } from '../nd/index.js'
import type { SharedObject } from '../objects/index.js'
import {
  type Attempt,
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  HELD_HERE,
  loopIsStarved,
  type SyncWaitOptions,
  type WaitOptions,
} from '../wait/index.js'
import { RecordBatch } from './record-batch.js'
import { type Bytes, bytesFor, type RecordCodec, viewed } from './record-codec.js'
import type { RecordInfo } from './record-dtype.js'
import type { RecordRing } from './record-ring.js'

const { TRY, IN_TURN } = attempts
const { ENDED } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const isStarved = loopIsStarved

/** Takes records out of a ring, in the order of the calls. */
export class RecordSource<D extends StructDType> {
  readonly #object: SharedObject
  readonly #ring: RecordRing
  readonly #info: RecordInfo
  readonly #codec: RecordCodec<D>
  readonly #one: Bytes

  constructor(object: SharedObject, ring: RecordRing, info: RecordInfo, codec: RecordCodec<D>) {
    this.#object = object
    this.#ring = ring
    this.#info = info
    this.#codec = codec
    this.#one = bytesFor(ring.recordBytes)
  }

  /** Takes a record. */
  readonly one: Attempt<ScalarOf<D>> = mode => {
    const taken = this.#ring.takeOne(this.#one.bytes, mode)
    return taken > 0 ? this.#codec.read(this.#one, 0) : this.#without(taken)
  }

  /** Takes at most `most` records. */
  many(most: number): Attempt<ScalarOf<D>[]> {
    return mode => {
      const taken = this.#ring.takeMany(most, mode)
      return typeof taken === 'object' ? this.#decode(taken) : this.#without(taken)
    }
  }

  /** Holds at most `most` records. */
  batch(most: number): Attempt<RecordBatch<D>> {
    return mode => {
      const held = this.#ring.hold(most, mode)
      return typeof held === 'object'
        ? new RecordBatch<D>(this.#object, this.#ring, this.#info, held)
        : this.#without(held)
    }
  }

  /** Returns `undefined` if nothing is there, or the queue has ended. */
  tryGet<T>(attempt: Attempt<T>): T | undefined {
    try {
      const found = attempt(TRY)
      return found === HELD_HERE ? undefined : found
    } catch (error) {
      if (hasCode(error, 'ERR_ENDED')) return undefined
      throw error
    }
  }

  async get<T>(attempt: Attempt<T>, options: WaitOptions | undefined): Promise<T> {
    checkBeforeAttempt(options)
    const found = this.#object.isIdle(MESSAGE) && !isStarved() ? attempt(IN_TURN) : undefined
    if (found !== undefined && found !== HELD_HERE) return found
    return this.#object.wait({ attempt, doing: this.#doing }, options, MESSAGE)
  }

  getSync<T>(attempt: Attempt<T>, options: SyncWaitOptions | undefined): T {
    checkBeforeAttemptSync(options)
    return this.#object.waitSync({ attempt, doing: this.#doing }, options, MESSAGE)
  }

  get #doing(): string {
    return `getting from "${this.#object.name}"`
  }

  #decode(records: Uint8Array): ScalarOf<D>[] {
    const { itemBytes } = this.#info
    const from = viewed(records)
    const values: ScalarOf<D>[] = []
    for (let at = 0; at < records.length; at += itemBytes) values.push(this.#codec.read(from, at))
    return values
  }

  #without(status: number): undefined | typeof HELD_HERE {
    if (status === ENDED) throw isDrained(this.#object.name)
    return status === transfers.HELD_HERE ? HELD_HERE : undefined
  }
}
