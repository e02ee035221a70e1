import { attempts } from '../native/index.js'

/** Makes one attempt, whether or not others wait; or lets those that wait already go first. */
export const { TRY, IN_TURN } = attempts

/**
 * What an attempt returns when this environment itself holds what it tried to get. The release
 * calls `serveWaiters`.
 */
export const HELD_HERE = Symbol.for('crossmem.heldHere')

/**
 * Tries once to get what is waited for; `undefined` if it isn't available. `mode` is one of
 * `attempts` in `src/native/protocol.ts`, or the time to sleep in milliseconds.
 */
export type Attempt<T> = (mode: number) => T | undefined | typeof HELD_HERE

/** A wait as its caller describes it. */
export interface WaitSpec<T> {
  attempt: Attempt<T>
  /** What is waited for, as the error message says it: `locking "ledger"`. */
  doing: string
  /** Runs when the wait fails. What it returns, if anything, is the wait's result after all. */
  onFailure?: () => T | undefined
  /** It must try even if the waiter before it found nothing. */
  isIndependent?: boolean
  /** Only closing the handle ends it without a result. */
  endures?: boolean
  /**
   * A wait that is half done can't be cancelled: only completion, or closing the handle, ends it.
   */
  isHalfDone?(): boolean
}
