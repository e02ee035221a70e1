import { checkFunction } from '../util/index.js'
import { RemoteGuard, within } from './guard.js'
import { LockLine, type Mode } from './lock-line.js'
import type { Home } from './remote-object.js'
import type { Ask, RemoteWaitOptions } from './waiting.js'

/**
 * A lock at a server that any number of readers hold together, or one writer alone. Both are served
 * in the order of their arrival, so neither side starves. A reader that dies is forgotten. After a
 * writer died, every guard's `ownerDied` is true until a writer calls `markConsistent()`.
 */
export class RemoteRwLock extends LockLine {
  /** @internal */
  constructor(home: Home, name: string) {
    super(home, name, 'RwLock')
  }

  /**
   * Waits to read, together with other readers.
   *
   * @returns the guard, which ends the reading
   * @throws {CrossmemError} as `RemoteMutex.lock`
   * @throws the signal's reason, if `signal` is aborted
   */
  async read(options?: RemoteWaitOptions): Promise<RemoteGuard> {
    return this.askAndWait(this.#side('s'), options)
  }

  /**
   * Begins to read if no writer holds the lock or waits for it.
   *
   * @returns the guard, or `undefined`
   * @throws {CrossmemError} as `RemoteMutex.tryLock`
   */
  async tryRead(): Promise<RemoteGuard | undefined> {
    return this.askOnce(this.#side('s'))
  }

  /**
   * Waits to read, runs `act`, and ends the reading when the result of `act` is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `RemoteMutex.withLock`
   * @throws what `act` throws
   */
  async withRead<Result>(
    act: (guard: RemoteGuard) => Result | Promise<Result>,
    options?: RemoteWaitOptions,
  ): Promise<Result> {
    checkFunction('the callback', act)
    return within(await this.read(options), act)
  }

  /**
   * Waits to write, alone.
   *
   * @returns the guard, which ends the writing
   * @throws {CrossmemError} as `RemoteMutex.lock`
   * @throws the signal's reason, if `signal` is aborted
   */
  async write(options?: RemoteWaitOptions): Promise<RemoteGuard> {
    return this.askAndWait(this.#side('x'), options)
  }

  /**
   * Begins to write if the lock is free.
   *
   * @returns the guard, or `undefined`
   * @throws {CrossmemError} as `RemoteMutex.tryLock`
   */
  async tryWrite(): Promise<RemoteGuard | undefined> {
    return this.askOnce(this.#side('x'))
  }

  /**
   * Waits to write, runs `act`, and ends the writing when the result of `act` is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `RemoteMutex.withLock`
   * @throws what `act` throws
   */
  async withWrite<Result>(
    act: (guard: RemoteGuard) => Result | Promise<Result>,
    options?: RemoteWaitOptions,
  ): Promise<Result> {
    checkFunction('the callback', act)
    return within(await this.write(options), act)
  }

  #side(mode: Mode): Ask<RemoteGuard> {
    const doing = mode === 's' ? 'reading' : 'writing'
    return this.ask(mode, doing, (fence, ownerDied) => new RemoteGuard(this, fence, ownerDied))
  }
}
