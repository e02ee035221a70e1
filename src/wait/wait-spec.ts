/** How a look says that it was in vain because of this environment itself: whoever lets go here calls `serveWaiters`. */
export const HELD_HERE = Symbol('mine')

/** Look once; say -1 or -2 to stay among the sleepers of the object, see `locks.rs` in the addon. */
export type Attempt<T> = (mode: number) => T | undefined | typeof HELD_HERE

/** Looks once, whoever waits. */
export const TRY = 0
/** Looks once, and lets those who wait already go first. */
export const IN_TURN = -3

/** A wait as its caller describes it. */
export interface WaitSpec<T> {
  attempt: Attempt<T>
  /** For the error: what is waited for. */
  doing: string
  /** The wait ends in vain. What this returns, if anything, is its result after all. */
  onFailure?: () => T | undefined
  /** That the first one in line finds nothing says nothing about this one. */
  isIndependent?: boolean
  /** It goes on whatever happens, until the handle is closed. */
  endures?: boolean
  /** Whether it is half done: then nothing ends it but its end, or that of the handle. */
  isHalfDone?(): boolean
}
