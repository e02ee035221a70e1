import { CrossmemError } from '../errors.js'

/** What lends guards, and takes them back. */
export interface Lender<Lent extends Guard = Guard> {
  /** Throws ERR_LOST_OWNERSHIP if it was lost. */
  release(guard: Lent): void
  /** Takes it back from who didn't release it: the handle is closed. */
  abandon(guard: Lent): void
  /** What it guards is whole again; for locks that tell of deaths. */
  markConsistent?(): void
}

/**
 * Something that is held, until `release()` or the end of a `using` block. If its process dies before, it comes to the next
 * one in line, and if it is a lock, `ownerDied` says so there.
 */
export class Guard implements Disposable, AsyncDisposable {
  // One class with two fields, and no base: making it is a third of what a lock costs.
  #lender: Lender<never> | undefined
  #ownerDied: boolean

  /** @internal */
  constructor(lender: Lender<never>, ownerDied: boolean) {
    this.#lender = lender
    this.#ownerDied = ownerDied
  }

  /**
   * A holder died, and nobody has called `markConsistent()` since: what the lock guards may be half-changed. Never true for
   * permits and for locks on files.
   */
  get ownerDied(): boolean {
    return this.#ownerDied
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
    const lender = this.#lender
    if (!lender) throw lost()
    this.#lender = undefined
    lender.release(this as never)
  }

  /**
   * Says that what the lock guards is whole again. Until somebody says so, every next holder's `ownerDied` is true.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it isn't held any more, or only for reading
   */
  markConsistent(): void {
    if (!this.#lender) throw lost()
    this.#lender.markConsistent?.()
    this.#ownerDied = false
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
  abandon(): void {
    const lender = this.#lender
    this.#lender = undefined
    lender?.abandon(this as never)
  }

  /** It was given back without this object. @internal */
  forget(): void {
    this.#lender = undefined
  }

  /** It could not be given back now. @internal */
  keep(lender: Lender<never>): void {
    this.#lender = lender
  }

  /** It was let go for a while, and is held again. @internal */
  renew(ownerDied: boolean): void {
    this.#ownerDied = ownerDied
  }
}

const lost = (): CrossmemError =>
  new CrossmemError(
    'ERR_LOST_OWNERSHIP',
    'it was released before, or its handle was closed; release each lock once',
  )

export const notHeld = (name: string): CrossmemError =>
  new CrossmemError('ERR_LOST_OWNERSHIP', `this thread doesn't hold "${name}"; lock it first`)

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
