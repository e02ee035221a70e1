import { CrossmemError } from '../errors.js'
import {
  asyncDispose,
  checkFunction,
  dispose,
  type InspectionArguments,
  inspection,
  showAs,
  stays,
} from '../util/index.js'

/**
 * Lends guards and takes them back: a mutex, a side of an RwLock, a semaphore's permits, a file.
 */
export interface Lender<Lent extends Guard = Guard> {
  /** The name of the lock, or the path of the file. */
  readonly name: string
  /** Takes a guard back. Throws ERR_LOST_OWNERSHIP if the lock was lost. */
  release(guard: Lent): void
  /** Takes back a guard that its holder didn't release: the handle is being closed. */
  abandon(guard: Lent): void
  /** The guarded data is whole again. Only locks that report a holder's death have this. */
  markConsistent?(): void
}

/**
 * A lock that this thread holds, from `lock()` and the like until `release()`, or until a `using`
 * block ends. If the holder's process dies before, the lock goes to the next waiter, whose guard
 * has `ownerDied` set.
 *
 * @example
 * ```js
 * import { Mutex } from 'crossmem'
 *
 * const mutex = Mutex.create(null)
 * const guard = await mutex.lock()
 * console.log(mutex.isLocked, guard.ownerDied) // true false
 * guard.release()
 * console.log(mutex.isLocked, guard.isReleased) // false true
 * mutex.close()
 * ```
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
   * Whether a holder died, and no later holder has called `markConsistent()`: the guarded data may
   * be half-changed. Always false for permits and for locks on files.
   */
  get ownerDied(): boolean {
    return this.#ownerDied
  }

  /** Whether this guard holds nothing any more: it was released, or its handle was closed. */
  get isReleased(): boolean {
    return this.#lender === undefined
  }

  /**
   * Releases the lock.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the guard was released before, or its handle was
   *   closed. ERR_TIMEOUT: the guard is a permit, and a stopped process is inside a call to the
   *   semaphore; the permit can be released again later
   */
  release(): void {
    const lender = this.#lender
    if (!lender) throw lost()
    this.#lender = undefined
    lender.release(this as never)
  }

  /**
   * Says that the guarded data is whole again, and clears `ownerDied`. Without this call,
   * `ownerDied` is true for every later holder, too.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the lock isn't held any more, or only for reading
   */
  markConsistent(): void {
    if (!this.#lender) throw lost()
    this.#lender.markConsistent?.()
    this.#ownerDied = false
  }

  /** Releases the lock unless that was done already; `using` calls this. */
  [dispose](): void {
    if (this.#lender) this.release()
  }

  /** Releases the lock unless that was done already; `await using` calls this. */
  async [asyncDispose](): Promise<void> {
    this[dispose]()
  }

  /** Shows what is held in `console.log`, or that it was released. */
  [inspection](...how: InspectionArguments): string {
    const { isReleased, ownerDied } = this
    const title = `${this.constructor.name}${isReleased ? ' (released)' : ''}`
    return showAs(title, isReleased ? { ownerDied } : { name: this.lockName, ownerDied }, ...how)
  }

  /** The name of its lock, or the path of its file, until it is released. @internal */
  protected get lockName(): string | undefined {
    return this.#lender?.name
  }

  /** The handle is being closed. @internal */
  abandon(): void {
    const lender = this.#lender
    this.#lender = undefined
    lender?.abandon(this as never)
  }

  /** The lender took the lock back without this guard. @internal */
  forget(): void {
    this.#lender = undefined
  }

  /** A release failed, and may be tried again. @internal */
  keep(lender: Lender<never>): void {
    this.#lender = lender
  }

  /** The lock was suspended and is held again. @internal */
  renew(ownerDied: boolean): void {
    this.#ownerDied = ownerDied
  }
}

stays(Guard, 'what is held stays with the thread that holds it; send the lock')

const lost = (): CrossmemError =>
  new CrossmemError(
    'ERR_LOST_OWNERSHIP',
    'this guard was released before, or its handle was closed; release each guard once',
  )

export const notHeld = (name: string): CrossmemError =>
  new CrossmemError('ERR_LOST_OWNERSHIP', `this thread doesn't hold "${name}"; lock it first`)

/** Takes something, runs `act` with it, and disposes of it afterwards, also if `act` throws. */
export async function within<Taken extends Disposable, Result>(
  take: () => Promise<Taken>,
  act: (taken: Taken) => Result | Promise<Result>,
): Promise<Result> {
  checkFunction('the callback', act)
  const held = await take()
  try {
    return await act(held)
  } finally {
    held[dispose]()
  }
}
