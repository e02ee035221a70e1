import { CrossmemError } from '../errors.js'
import { asyncDispose, type InspectionArguments, inspection, showAs, stays } from '../util/index.js'

/** Takes a guard back, or mends what it guards. */
export interface RemoteLender {
  readonly name: string
  release(guard: RemoteGuard): Promise<void>
  markConsistent(guard: RemoteGuard): Promise<void>
}

/**
 * A lock that this connection holds at the server, until `release()` or the end of an `await using`
 * block. If the connection is lost before, so is the lock: `signal` is aborted at once, and the
 * next holder has `ownerDied` set and a higher `fence`.
 */
export class RemoteGuard implements AsyncDisposable {
  readonly #lender: RemoteLender
  #fence: number
  #ownerDied: boolean
  #state: 'held' | 'released' | 'lost' = 'held'
  #reason: CrossmemError | undefined
  #controller: AbortController | undefined

  /** @internal */
  constructor(lender: RemoteLender, fence: number, ownerDied: boolean) {
    this.#lender = lender
    this.#fence = fence
    this.#ownerDied = ownerDied
  }

  /**
   * A number that grows with every holder. Pass it to what the lock guards, and have that refuse
   * lower numbers: then a holder that doesn't know yet that it has lost the lock changes nothing.
   */
  get fence(): number {
    return this.#fence
  }

  /**
   * Whether a holder died, and no later holder has called `markConsistent()`: the guarded data may
   * be half-changed. Always false for permits.
   */
  get ownerDied(): boolean {
    return this.#ownerDied
  }

  /** Whether this guard holds nothing any more: it was released or lost. */
  get isReleased(): boolean {
    return this.#state !== 'held'
  }

  /**
   * Aborted once the lock is lost without having been released: the connection is lost, its lease
   * has run out, or the lock was stolen. The reason is the error.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#state === 'lost') this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  /**
   * Releases the lock.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the guard was released before, or the lock was
   *   lost. ERR_DISCONNECTED: the connection was lost during the call, and the lock with it
   */
  async release(): Promise<void> {
    if (this.#state !== 'held') throw this.#over()
    this.#state = 'released'
    await this.#lender.release(this)
  }

  /**
   * Says that the guarded data is whole again, and clears `ownerDied`. Without this call,
   * `ownerDied` is true for every later holder, too.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the lock isn't held any more, or only for reading.
   *   ERR_DISCONNECTED: the connection was lost
   */
  async markConsistent(): Promise<void> {
    if (this.#state !== 'held') throw this.#over()
    await this.#lender.markConsistent(this)
    this.#ownerDied = false
  }

  /**
   * Releases the lock unless that was done already; `await using` calls this.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the lock was lost meanwhile
   */
  async [asyncDispose](): Promise<void> {
    if (this.#state !== 'released') await this.release()
  }

  /** Shows what is held in `console.log`, or that it was released. */
  [inspection](...how: InspectionArguments): string {
    const { fence, ownerDied } = this
    const name = this.#lender.name
    return showAs(
      `${this.constructor.name}${this.isReleased ? ` (${this.#state})` : ''}`,
      { name, fence, ownerDied },
      ...how,
    )
  }

  /** The lock is gone without this guard. @internal */
  lose(reason: CrossmemError): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  /** The lock was given up meanwhile, and is held again. @internal */
  renew(fence: number, ownerDied: boolean): void {
    this.#fence = fence
    this.#ownerDied = ownerDied
  }

  /** The handle closed: nothing is held any more. @internal */
  forget(): void {
    if (this.#state === 'held') this.#state = 'released'
  }

  #over(): CrossmemError {
    return new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      this.#reason
        ? `"${this.#lender.name}" was lost: ${this.#reason.message}`
        : 'this guard was released before, or its handle was closed; release each guard once',
      this.#reason && { cause: this.#reason },
    )
  }
}

stays(RemoteGuard, 'what is held stays with the connection that holds it; send the name of the lock')

/** Takes something, runs `act` with it, and disposes of it afterwards, also if `act` throws. */
export async function within<Taken extends RemoteGuard, Result>(
  held: Taken,
  act: (taken: Taken) => Result | Promise<Result>,
): Promise<Result> {
  let result: Result
  try {
    result = await act(held)
  } catch (error) {
    // The error of `act` says more than that the lock was lost under it.
    await held[asyncDispose]().catch(() => undefined)
    throw error
  }
  await held[asyncDispose]()
  return result
}
