import { nativeLocks, nativeSegments } from '../native/index.js'
import {
  type CreateOptions,
  createObject,
  existsAs,
  Handle,
  openOrCreate,
  Segment,
} from '../objects/index.js'
import { checkBoolean } from '../util/index.js'
import type { SyncWaitOptions, WaitOptions, WaitSpec } from '../wait/index.js'

/** How to make an event. */
export interface EventOptions extends CreateOptions {
  /** Each `set()` releases one wait, and the event is clear again, as with Windows' auto-reset events. Default: false. */
  autoReset?: boolean
}

/** A flag that processes share and can wait for: Python's `Event`. */
export class Event extends Handle<'Event'> {
  private constructor(segment: Segment) {
    super(segment, 'Event', { disarm: [nativeLocks.giveUpEvent], needsOthers: () => true })
  }

  /** @internal */
  static attach(segment: Segment): Event {
    return new Event(segment)
  }

  /**
   * Creates an event that is not set.
   *
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: EventOptions): Event {
    return new Event(createObject('Event', name, options, [Number(checkAutoReset(options))]))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): Event {
    return new Event(Segment.open(name, 'Event'))
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another `autoReset`
   */
  static openOrCreate(name: string, options?: EventOptions): Event {
    const event = openOrCreate(
      () => Event.open(name),
      () => Event.create(name, options),
    )
    if (event.autoReset === checkAutoReset(options)) return event
    throw existsAs(event, `with autoReset: ${event.autoReset}`)
  }

  /** Sets it: everyone who waits goes on, or one of them if it resets itself. Setting what is set does nothing. */
  set(): void {
    const { object } = this
    nativeLocks.setEvent(object.handle)
    object.serveWaiters()
  }

  /** Clears it: whoever waits from now on waits for the next `set()`. */
  clear(): void {
    nativeLocks.clearEvent(this.object.handle)
  }

  /** Whether it is set at this instant. */
  get isSet(): boolean {
    return nativeLocks.eventIsSet(this.object.handle)
  }

  /** Whether each `set()` releases one wait. */
  get autoReset(): boolean {
    return nativeSegments.objectParams(this.object.handle)[0] !== 0
  }

  /**
   * Waits until it is set, or was since this call, without blocking the event loop.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile), ERR_PEER_DIED (everyone else who
   *   could set it has gone meanwhile), or the signal's reason
   */
  async wait(options?: WaitOptions): Promise<void> {
    await this.object.wait(this.#spec(), options)
  }

  /**
   * Waits on this thread until it is set, or was since this call.
   *
   * @throws {CrossmemError} as `wait`
   */
  waitSync(options?: SyncWaitOptions): void {
    this.object.waitSync(this.#spec(), options)
  }

  /** Whether it is set; one that resets itself is clear again afterwards. */
  tryWait(): boolean {
    return this.#spec().attempt(0) === true
  }

  #spec(): WaitSpec<true> {
    const { handle } = this.object
    const times = nativeLocks.eventTimes(handle)
    return {
      attempt: mode => (nativeLocks.waitEvent(handle, times, mode) === 1 ? true : undefined),
      doing: `waiting for "${this.name}"`,
    }
  }
}

const checkAutoReset = (options: EventOptions | undefined): boolean =>
  checkBoolean('autoReset', options?.autoReset ?? false)
