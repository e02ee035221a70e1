import { answers, nativeLocks } from '../native/index.js'
import {
  type CreateOptions,
  createObject,
  createOptions,
  Handle,
  openOrCreate,
  Segment,
  type SharedObject,
  whenCreated,
} from '../objects/index.js'
import { HELD_HERE, type SyncWaitOptions, TRY, type WaitOptions, type WaitSpec } from '../wait/index.js'
import { Guard, type Lender, within } from './guard.js'

const { NOT_YET, GOT_AFTER_DEATH, HELD_HERE: HOLDS_IT } = answers

/** The addon's calls for one side. */
interface Calls {
  enter(handle: number, mode: number): number
  leave(handle: number): void
  abandon(handle: number): void
}

/** Reading or writing: one of the two ways to hold an RwLock. */
class Side implements Lender {
  readonly spec: WaitSpec<Guard>
  readonly #object: SharedObject
  readonly #calls: Calls

  constructor(object: SharedObject, doing: string, calls: Calls) {
    this.#object = object
    this.#calls = calls
    this.spec = { attempt: mode => this.attempt(mode), doing: `${doing} "${object.name}"` }
  }

  get name(): string {
    return this.#object.name
  }

  attempt(mode: number): Guard | undefined | typeof HELD_HERE {
    const status = this.#calls.enter(this.#object.handle, mode)
    if (status === NOT_YET) return undefined
    if (status === HOLDS_IT) return HELD_HERE
    const guard = new Guard(this, status === GOT_AFTER_DEATH)
    this.#object.held.add(guard)
    return guard
  }

  release(guard: Guard): void {
    this.#object.held.delete(guard)
    this.#calls.leave(this.#object.handle)
    this.#object.serveWaiters()
  }

  abandon(guard: Guard): void {
    this.#object.held.delete(guard)
    this.#calls.abandon(this.#object.handle)
  }

  markConsistent(): void {
    nativeLocks.markWrittenConsistent(this.#object.handle)
  }
}

const reading = { enter: nativeLocks.enterRead, leave: nativeLocks.endRead, abandon: nativeLocks.endRead }
const writing = {
  enter: nativeLocks.enterWrite,
  leave: nativeLocks.endWrite,
  abandon: nativeLocks.abandonWrite,
}

/**
 * A lock that any number of readers hold together, or one writer alone. While a writer waits, no
 * new reader gets in, so neither side starves. A reader that dies is forgotten. After a writer
 * died, every guard's `ownerDied` is true until a writer calls `markConsistent()`.
 *
 * A thread must not take a second read lock while it holds one: a writer may wait in between.
 *
 * @example
 * ```js
 * import { RwLock } from 'crossmem'
 *
 * const lock = RwLock.create(null)
 * const [first, second] = [await lock.read(), await lock.read()]
 * console.log(lock.tryWrite()) // undefined
 * first.release()
 * second.release()
 * console.log(await lock.withWrite(() => lock.tryRead())) // undefined
 * lock.close()
 * ```
 */
export class RwLock extends Handle<'RwLock'> {
  readonly #read: Side
  readonly #write: Side

  private constructor(segment: Segment) {
    super(segment, 'RwLock', { disarm: [nativeLocks.giveUpEntering] })
    this.#read = new Side(this.object, 'reading', reading)
    this.#write = new Side(this.object, 'writing', writing)
  }

  /** @internal */
  static attach(segment: Segment): RwLock {
    return new RwLock(segment)
  }

  /**
   * Creates a lock that is free.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, options?: CreateOptions): RwLock {
    return new RwLock(createObject('RwLock', name, createOptions(options), []))
  }

  /**
   * Opens a lock that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   an RwLock. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string): RwLock {
    return new RwLock(Segment.open(name, 'RwLock'))
  }

  /**
   * Opens the lock once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<RwLock> {
    return whenCreated(name, () => RwLock.open(name), options)
  }

  /**
   * Opens the lock if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate(name: string, options?: CreateOptions): RwLock {
    return openOrCreate(
      createOptions(options),
      () => RwLock.open(name),
      () => RwLock.create(name, options),
    )
  }

  /**
   * Waits to read, together with other readers, without blocking the event loop.
   *
   * @returns the guard, which ends the reading
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait
   * @throws the signal's reason, if `signal` is aborted
   */
  async read(options?: WaitOptions): Promise<Guard> {
    return this.object.wait(this.#read.spec, options)
  }

  /**
   * Waits to read, and blocks this thread meanwhile.
   *
   * @returns the guard, which ends the reading
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_DEADLOCK: this thread is writing. ERR_CLOSED: the handle is closed.
   *   ERR_NOT_FOUND: the object was unlinked during the wait
   */
  readSync(options?: SyncWaitOptions): Guard {
    return this.object.waitSync(this.#read.spec, options)
  }

  /**
   * Begins to read if no writer holds the lock or waits for it. Never waits.
   *
   * @returns the guard, or `undefined`
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  tryRead(): Guard | undefined {
    return this.#try(this.#read)
  }

  /**
   * Waits to read as `read` does, runs `act`, and ends the reading when the result of `act` is
   * settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `read`. ERR_INVALID_ARG: `act` is no function
   * @throws what `act` throws
   */
  withRead<Result>(act: (guard: Guard) => Result | Promise<Result>, options?: WaitOptions): Promise<Result> {
    return within(() => this.read(options), act)
  }

  /**
   * Waits to write, alone, without blocking the event loop.
   *
   * @returns the guard, which ends the writing
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait
   * @throws the signal's reason, if `signal` is aborted
   */
  async write(options?: WaitOptions): Promise<Guard> {
    return this.object.wait(this.#write.spec, options)
  }

  /**
   * Waits to write, alone, and blocks this thread meanwhile.
   *
   * @returns the guard, which ends the writing
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_DEADLOCK: this thread is reading or writing. ERR_CLOSED: the handle is closed.
   *   ERR_NOT_FOUND: the object was unlinked during the wait
   */
  writeSync(options?: SyncWaitOptions): Guard {
    return this.object.waitSync(this.#write.spec, options)
  }

  /**
   * Begins to write if the lock is free. Never waits.
   *
   * @returns the guard, or `undefined`
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  tryWrite(): Guard | undefined {
    return this.#try(this.#write)
  }

  /**
   * Waits to write as `write` does, runs `act`, and ends the writing when the result of `act` is
   * settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `write`. ERR_INVALID_ARG: `act` is no function
   * @throws what `act` throws
   */
  withWrite<Result>(act: (guard: Guard) => Result | Promise<Result>, options?: WaitOptions): Promise<Result> {
    return within(() => this.write(options), act)
  }

  #try(side: Side): Guard | undefined {
    void this.object
    const found = side.attempt(TRY)
    return found === HELD_HERE ? undefined : found
  }
}
