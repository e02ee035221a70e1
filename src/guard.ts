import { CrossmemError } from './errors.js'
import type { Held } from './shared-object.js'

/** What gives back what is held. */
export interface Lender<Loan> {
  /** Throws ERR_LOST_OWNERSHIP if it was lost. */
  release(loan: Loan): void
  /** Takes it back from who didn't release it: the handle is closed. */
  abandon(loan: Loan): void
}

/** Something that is held, until `release()` or the end of a `using` block. */
export abstract class Loan<From extends Lender<never>> implements Held, Disposable, AsyncDisposable {
  #lender: From | undefined

  /** @internal */
  constructor(lender: From) {
    this.#lender = lender
  }

  /** Whether `release()` was called, or it is no longer held for another reason. */
  get isReleased(): boolean {
    return this.#lender === undefined
  }

  /**
   * Gives it back.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it was released before, or taken away
   */
  release(): void {
    const lender = this.lender
    this.#lender = undefined
    lender.release(this as never)
  }

  /** @internal */
  abandon(): void {
    const lender = this.#lender
    this.#lender = undefined
    lender?.abandon(this as never)
  }

  /** It was given back without this object. @internal */
  forget(): void {
    this.#lender = undefined
  }

  /** Releases, unless that was done already. */
  [Symbol.dispose](): void {
    if (this.#lender) this.release()
  }

  /** Releases, unless that was done already. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }

  /** @internal */
  protected get lender(): From {
    if (this.#lender) return this.#lender
    throw new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      'it was released before, or its handle was closed; release each lock once',
    )
  }
}

/** A lock that lends guards. */
export interface Lockable extends Lender<Guard> {
  markConsistent(): void
}

/**
 * A lock that is held. If its process dies before it is released, the lock comes to the next one in line, whose `ownerDied`
 * says so.
 */
export class Guard extends Loan<Lockable> {
  #ownerDied: boolean

  /** @internal */
  constructor(lock: Lockable, ownerDied: boolean) {
    super(lock)
    this.#ownerDied = ownerDied
  }

  /** A holder died, and nobody has called `markConsistent()` since: what the lock guards may be half-changed. */
  get ownerDied(): boolean {
    return this.#ownerDied
  }

  /** It was let go for a while, and is held again. @internal */
  renew(ownerDied: boolean): void {
    this.#ownerDied = ownerDied
  }

  /**
   * Says that what the lock guards is whole again. Until somebody says so, every next holder's `ownerDied` is true.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it isn't held any more, or only for reading
   */
  markConsistent(): void {
    this.lender.markConsistent()
    this.#ownerDied = false
  }
}

/** Runs `act` with what was taken, and gives it back whatever happens. */
export async function within<Taken extends Disposable, Result>(
  taken: Promise<Taken>,
  act: (taken: Taken) => Result | Promise<Result>,
): Promise<Result> {
  const held = await taken
  try {
    return await act(held)
  } finally {
    held[Symbol.dispose]()
  }
}
