import { answers, nativeLocks, nativeSegments } from '../native/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  existsAs,
  Handle,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import { checkBoolean, checkOptions, type OptionNames } from '../util/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions, type WaitSpec } from '../wait/index.js'

/** How to make an event. */
export interface EventOptions extends CreateOptions {
  /**
   * Whether each `set()` releases one wait and the event is then clear again, as Windows'
   * auto-reset events are. Default: false, the event stays set until `clear()`.
   */
  autoReset?: boolean
}

const EVENT_OPTIONS: OptionNames<EventOptions> = { ...CREATE_OPTIONS, autoReset: true }

/**
 * A flag that processes share and wait for: Python's `Event`.
 *
 * @example
 * ```js
 * import { Event } from 'crossmem'
 *
 * const ready = Event.create(null)
 * setTimeout(() => ready.set(), 10)
 * await ready.wait()
 * console.log(ready.isSet) // true
 * ready.clear()
 * console.log(ready.tryWait()) // false
 * ready.close()
 * ```
 */
export class Event extends Handle<'Event'> {
  private constructor(segment: Segment) {
    super(segment, 'Event', { disarm: [nativeLocks.giveUpEvent], needsOthers: () => true })
  }

  /** @internal */
  static attach(segment: Segment): Event {
    return new Event(segment)
  }

  /**
   * Creates an event that isn't set.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, options?: EventOptions): Event {
    return new Event(createObject('Event', name, options, [Number(checkAutoReset(options))]))
  }

  /**
   * Opens an event that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   an Event. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string): Event {
    return new Event(Segment.open(name, 'Event'))
  }

  /**
   * Opens the event once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<Event> {
    return whenCreated(name, () => Event.open(name), options)
  }

  /**
   * Opens the event if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another `autoReset`
   */
  static openOrCreate(name: string, options?: EventOptions): Event {
    const autoReset = checkAutoReset(options)
    const event = openOrCreate(
      options,
      () => Event.open(name),
      () => Event.create(name, options),
    )
    if (event.autoReset === autoReset) return event
    throw existsAs(event, `with autoReset: ${event.autoReset}`)
  }

  /**
   * Sets the event: all waits end, or one of them with `autoReset`. Does nothing if the event is
   * set.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  set(): void {
    const { object } = this
    nativeLocks.setEvent(object.handle)
    object.serveWaiters()
  }

  /**
   * Clears the event: a wait that begins from now on waits for the next `set()`.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  clear(): void {
    nativeLocks.clearEvent(this.object.handle)
  }

  /**
   * Whether the event is set at this instant.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get isSet(): boolean {
    return nativeLocks.eventIsSet(this.object.handle)
  }

  /**
   * Whether each `set()` releases one wait, as the event was created.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get autoReset(): boolean {
    return nativeSegments.objectParams(this.object.handle)[0] !== 0
  }

  /**
   * Waits until the event is set, without blocking the event loop. A `set()` during the wait ends
   * it even if a `clear()` follows at once. With `autoReset`, such a `clear()` may undo the `set()`
   * before it has ended a wait.
   *
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait. ERR_PEER_DIED: the last other process that could set the event has gone during the wait
   * @throws the signal's reason, if `signal` is aborted
   */
  async wait(options?: WaitOptions): Promise<void> {
    await this.object.wait(this.#spec(), options)
  }

  /**
   * Waits as `wait` does, and blocks this thread meanwhile.
   *
   * @throws {CrossmemError} as `wait`
   */
  waitSync(options?: SyncWaitOptions): void {
    this.object.waitSync(this.#spec(), options)
  }

  /**
   * Whether the event is set. With `autoReset`, this call clears it. Never waits.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  tryWait(): boolean {
    return this.#spec().attempt(TRY) === true
  }

  #spec(): WaitSpec<true> {
    const { handle } = this.object
    const times = nativeLocks.eventTimes(handle)
    return {
      attempt: mode => (nativeLocks.waitEvent(handle, times, mode) === answers.GOT ? true : undefined),
      doing: `waiting for "${this.name}"`,
    }
  }
}

const checkAutoReset = (options: EventOptions | undefined): boolean =>
  checkBoolean('autoReset', checkOptions(options, EVENT_OPTIONS).autoReset ?? false)
