import { nativeLocks } from '../native/index.js'
import {
  type CreateOptions,
  createObject,
  Handle,
  openOrCreate,
  Segment,
  type SharedObject,
} from '../objects/index.js'
import { HELD_HERE, type SyncWaitOptions, TRY, type WaitOptions, type WaitSpec } from '../wait/index.js'
import { Guard, type Lender, within } from './guard.js'

interface Calls {
  enter(handle: number, mode: number): number
  leave(handle: number): void
  abandon(handle: number): void
}

/** One of the two ways into a lock. */
class Side implements Lender {
  readonly spec: WaitSpec<Guard>
  readonly #object: SharedObject
  readonly #calls: Calls

  constructor(object: SharedObject, doing: string, calls: Calls) {
    this.#object = object
    this.#calls = calls
    this.spec = { attempt: mode => this.look(mode), doing: `${doing} "${object.name}"` }
  }

  look(mode: number): Guard | undefined | typeof HELD_HERE {
    const status = this.#calls.enter(this.#object.handle, mode)
    if (status === 0) return undefined
    if (status === 3) return HELD_HERE
    const guard = new Guard(this, status === 2)
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
 * Many readers or one writer, over processes. A writer that waits lets no new reader in, so neither side starves. A dead
 * reader is forgotten; after a dead writer every guard's `ownerDied` is true until a writer calls `markConsistent()`.
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
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: CreateOptions): RwLock {
    return new RwLock(createObject('RwLock', name, options, []))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): RwLock {
    return new RwLock(Segment.open(name, 'RwLock'))
  }

  /** Opens it if it exists, else creates it; both sides may start in any order. */
  static openOrCreate(name: string, options?: CreateOptions): RwLock {
    return openOrCreate(
      () => RwLock.open(name),
      () => RwLock.create(name, options),
    )
  }

  /**
   * Waits to read, together with other readers, without blocking the event loop.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile), or the signal's reason
   */
  async read(options?: WaitOptions): Promise<Guard> {
    return this.object.wait(this.#read.spec, options)
  }

  /**
   * Waits on this thread to read.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_DEADLOCK (this thread is writing), ERR_CLOSED, ERR_NOT_FOUND
   */
  readSync(options?: SyncWaitOptions): Guard {
    return this.object.waitSync(this.#read.spec, options)
  }

  /** Reads if that can be had at once; `undefined` otherwise. */
  tryRead(): Guard | undefined {
    return this.#try(this.#read)
  }

  /** Runs `act` as a reader. */
  withRead<Result>(act: (guard: Guard) => Result | Promise<Result>, options?: WaitOptions): Promise<Result> {
    return within(this.read(options), act)
  }

  /**
   * Waits to write, alone, without blocking the event loop.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile), or the signal's reason
   */
  async write(options?: WaitOptions): Promise<Guard> {
    return this.object.wait(this.#write.spec, options)
  }

  /**
   * Waits on this thread to write.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_DEADLOCK (this thread is reading or writing), ERR_CLOSED, ERR_NOT_FOUND
   */
  writeSync(options?: SyncWaitOptions): Guard {
    return this.object.waitSync(this.#write.spec, options)
  }

  /** Writes if that can be had at once; `undefined` otherwise. */
  tryWrite(): Guard | undefined {
    return this.#try(this.#write)
  }

  /** Runs `act` as the only writer. */
  withWrite<Result>(act: (guard: Guard) => Result | Promise<Result>, options?: WaitOptions): Promise<Result> {
    return within(this.write(options), act)
  }

  #try(side: Side): Guard | undefined {
    void this.object
    const found = side.look(TRY)
    return found === HELD_HERE ? undefined : found
  }
}
