import { CrossmemError } from '../errors.js'
import { attempts, company, nativeSegments } from '../native/index.js'
import {
  checkTimeout,
  HELD_HERE,
  IN_TURN,
  point,
  type SyncWaitOptions,
  TRY,
  type WaitOptions,
  WaitQueue,
  type WaitSpec,
  waitSync,
} from '../wait/index.js'
import { Segment } from './segment.js'

const { CONTINUED } = attempts
const { LINKED, OTHERS } = company

/** What a kind of object adds to waiting. */
export interface WaitKind {
  /** Leaves the set of sleepers, by channel. */
  disarm: ((handle: number) => void)[]
  /** Whether only another agent can end a wait on that channel. */
  needsOthers?: (channel: number, handle: number) => boolean
  /** What a blocking wait on one channel waits for may come from who waits here on another one. */
  feedsItself?: boolean
}

/** Something held through an object. When the object's last handle here is closed, it counts as left half-done. */
export interface Held {
  abandon(): void
}

/** An object that is waited for: one per environment, whatever the number of its handles. */
export class SharedObject {
  readonly segment: Segment
  readonly handle: number
  /** What this environment holds of it now. */
  readonly held = new Set<Held>()
  readonly #kind: WaitKind
  readonly #queues: WaitQueue[]
  #handles = 0
  #company = 0
  #seen = 0

  private constructor(segment: Segment, kind: WaitKind) {
    this.segment = segment
    this.handle = segment.handle
    this.#kind = kind
    this.#queues = kind.disarm.map(
      (disarm, channel) =>
        new WaitQueue(point(this.handle, channel), {
          disarm: () => disarm(this.handle),
          onFirst: () => this.#meet(),
          onTick: () => {
            this.#lost()
          },
        }),
    )
  }

  /** One more handle of the object that was opened. */
  static attach(segment: Segment, kind: WaitKind): SharedObject {
    const known = objects.get(segment.id)
    if (known && known.segment !== segment) segment.close()
    const object = known ?? new SharedObject(segment, kind)
    objects.set(segment.id, object)
    object.#handles++
    return object
  }

  get name(): string {
    return this.segment.name
  }

  /** One handle less; with the last one here, what is held is abandoned, and those who wait are told. */
  close(): void {
    if (--this.#handles > 0) return
    objects.delete(this.segment.id)
    for (const queue of this.#queues) queue.rejectAll(this.#closed(), true)
    // Afterwards, or those who wait here would get it.
    try {
      for (const held of [...this.held]) held.abandon()
    } finally {
      this.segment.close()
    }
  }

  get isClosed(): boolean {
    return this.segment.isClosed
  }

  wait<T>(spec: WaitSpec<T>, options: WaitOptions | undefined, channel = 0): Promise<T> {
    return this.#queue(channel).wait(spec, options)
  }

  /**
   * Waits on this thread.
   *
   * @param serves whether those who wait here are looked for afterwards: what slept here was taken out of the set of sleepers
   * together with them
   * @throws {CrossmemError} ERR_DEADLOCK when this thread would wait for itself
   */
  waitSync<T>(spec: WaitSpec<T>, options: SyncWaitOptions | undefined, channel = 0, serves = true): T {
    if (options === undefined) {
      // Most of the time there is nothing to wait for.
      const found = spec.attempt(IN_TURN)
      if (found !== undefined && found !== HELD_HERE) return found
    }
    return this.#sleep(spec, checkTimeout(options), channel, serves)
  }

  #sleep<T>(spec: WaitSpec<T>, timeout: number, channel: number, serves: boolean): T {
    const { attempt, doing, onFailure, endures } = spec
    const look = (mode: number): T | undefined => {
      const found = attempt(mode)
      if (found !== HELD_HERE) return found
      throw new CrossmemError(
        'ERR_DEADLOCK',
        `${doing}: this thread holds it already and would wait for itself; release it first`,
      )
    }
    try {
      const found = look(IN_TURN)
      if (found !== undefined) return found
      this.#meet()
      let continued = 0
      const slice = (ms: number) => {
        if (this.#kind.feedsItself) this.#serveWaitersExcept(channel)
        const found = look(continued + ms)
        continued = CONTINUED
        if (found !== undefined) return found
        const inVain = this.#whyInVain(this.#lost(), channel)
        // What the dead left may be had now.
        const last = inVain && look(TRY)
        if (inVain && last === undefined && !endures) throw inVain
        return last
      }
      return waitSync(slice, doing, { timeout })
    } catch (error) {
      this.#kind.disarm[channel]?.(this.handle)
      const late = onFailure?.()
      if (late === undefined) throw error
      return late
    } finally {
      if (serves) this.serveWaiters()
    }
  }

  /** Whether anyone here waits for it. */
  get isAwaited(): boolean {
    return this.#queues.some(queue => !queue.isEmpty)
  }

  /** Who waits here on these channels is told that what they waited through is closed. */
  rejectWaits(channels: number[]): void {
    for (const channel of channels) this.#queue(channel).rejectAll(this.#closed(), true)
  }

  /** Whether nobody here waits on that channel. */
  isIdle(channel: number): boolean {
    return this.#queue(channel).isEmpty
  }

  /** Something was let go here: those who wait here may have it. */
  serveWaiters(): void {
    for (const queue of this.#queues) if (!queue.isEmpty) queue.serveWaiters()
  }

  #serveWaitersExcept(channel: number): void {
    for (const [other, queue] of this.#queues.entries())
      if (other !== channel && !queue.isEmpty) queue.serveWaiters()
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `"${this.name}" was closed while this waited for it`)
  }

  #queue(channel: number): WaitQueue {
    return this.#queues[channel] as WaitQueue
  }

  /** Remembers what there is to lose. */
  #meet(): void {
    if (this.isAwaited) this.#lost()
    else this.#seen = this.#company = nativeSegments.objectCompany(this.handle)
  }

  /** What is lost since the last time. Nobody waits here for what can't come any more. */
  #lost(): number {
    const before = this.#company
    const now = nativeSegments.objectCompany(this.handle)
    // Who was seen once only just looked in, as `crossmem inspect` does.
    this.#company = now & (before | this.#seen)
    this.#seen = now
    const lost = before & ~this.#company
    if (lost) {
      // What the dead left may be had now.
      this.serveWaiters()
      for (const [channel, queue] of this.#queues.entries()) {
        const inVain = this.#whyInVain(lost, channel)
        if (inVain) queue.rejectAll(inVain, false)
      }
    }
    return lost
  }

  #whyInVain(lost: number, channel: number): CrossmemError | undefined {
    if (lost & LINKED) {
      return new CrossmemError('ERR_NOT_FOUND', `"${this.name}" was unlinked while this waited for it`)
    }
    if (lost & OTHERS && this.#kind.needsOthers?.(channel, this.handle)) {
      return new CrossmemError(
        'ERR_PEER_DIED',
        `the last other process that had "${this.name}" open is gone, so nobody is left to wait for`,
      )
    }
    return undefined
  }
}

/** By number. What is held must be found again, so whose handle is merely forgotten stays, too. */
const objects = new Map<number, SharedObject>()
