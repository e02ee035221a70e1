import { CrossmemError } from '../errors.js'
import { attempts, shared } from '../native/index.js'
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
import { Company, isAlone, isUnlinked } from './company.js'
import type { Segment } from './segment.js'

const { CONTINUED } = attempts

/** What a kind of object adds to waiting. */
export interface WaitKind {
  /** For each channel, takes this environment out of its sleepers. */
  disarm: ((handle: number) => void)[]
  /** Whether only another agent can end a wait on that channel. */
  needsOthers?: (channel: number, handle: number) => boolean
  /**
   * Whether a wait here on another channel can provide what a blocking wait on one channel waits
   * for.
   */
  feedsItself?: boolean
}

/**
 * Something held through an object. If the object's last handle here is closed, it counts as left
 * half-done.
 */
export interface Held {
  abandon(): void
}

/** An object that is waited for: one per environment, however many handles it has here. */
export class SharedObject {
  readonly segment: Segment
  readonly handle: number
  /** What this environment holds of it now. */
  readonly held = new Set<Held>()
  readonly #kind: WaitKind
  readonly #queues: WaitQueue[]
  readonly #company: Company
  #handles = 0

  private constructor(segment: Segment, kind: WaitKind) {
    this.segment = segment
    this.handle = segment.handle
    this.#kind = kind
    this.#company = new Company(this.handle)
    this.#queues = kind.disarm.map(
      (disarm, channel) =>
        new WaitQueue(point(this.handle, channel), {
          disarm: () => disarm(this.handle),
          onFirst: () => this.#meet(),
          onTick: () => {
            this.#failWhatIsLost()
          },
        }),
    )
  }

  /** One more handle of the object that was opened. */
  static attach(segment: Segment, kind: WaitKind): SharedObject {
    const known = ours.get(segment.id) ?? objects.get(segment.id)?.deref()
    if (known && known.segment !== segment) segment.close()
    const object = known ?? new SharedObject(segment, kind)
    if (!known) objects.set(segment.id, new WeakRef(object))
    ours.set(segment.id, object)
    object.attached()
    return object
  }

  /** One handle more. A method, since the object may be of another copy of this package. */
  attached(): void {
    this.#handles++
  }

  get name(): string {
    return this.segment.name
  }

  /** One handle less. With the last one here, waits fail, and what is held is abandoned. */
  close(): void {
    if (--this.#handles > 0) return
    objects.delete(this.segment.id)
    ours.delete(this.segment.id)
    for (const queue of this.#queues) queue.rejectAll(this.#closed(), true)
    // Only now, or a wait of this environment would get it.
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
   * @param serves whether to retry this environment's other waits afterwards: a blocking wait takes
   *   the whole environment out of the sleepers
   * @throws {CrossmemError} ERR_DEADLOCK if this thread would wait for itself
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
    const attemptElsewhere = (mode: number): T | undefined => {
      const found = attempt(mode)
      if (found !== HELD_HERE) return found
      throw new CrossmemError(
        'ERR_DEADLOCK',
        `${doing}: this thread holds it already and would wait for itself; release it first`,
      )
    }
    try {
      const found = attemptElsewhere(IN_TURN)
      if (found !== undefined) return found
      this.#meet()
      let continued = 0
      const slice = (ms: number) => {
        if (this.#kind.feedsItself) this.#serveNow(channel)
        const found = attemptElsewhere(continued + ms)
        continued = CONTINUED
        if (found !== undefined) return found
        const failure = this.#failureAfter(this.#failWhatIsLost(), channel)
        // What a dead process left may be available now.
        const last = failure && attemptElsewhere(TRY)
        if (failure && last === undefined && !endures) throw failure
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

  /** Whether a wait of this environment is pending here. */
  get isAwaited(): boolean {
    return this.#queues.some(queue => !queue.isEmpty)
  }

  /** Fails the waits on these channels: what they waited through is closed. */
  rejectWaits(channels: number[]): void {
    for (const channel of channels) this.#queue(channel).rejectAll(this.#closed(), true)
  }

  /** Whether no wait of this environment is pending on that channel. */
  isIdle(channel: number): boolean {
    return this.#queue(channel).isEmpty
  }

  /** Attempts the waits of this environment, after something was released here. */
  serveWaiters(): void {
    for (const queue of this.#queues) if (!queue.isEmpty) queue.serveSoon()
  }

  /** Attempts them before this thread blocks, or fails them. */
  #serveNow(channel?: number): void {
    for (const [other, queue] of this.#queues.entries())
      if (other !== channel && !queue.isEmpty) queue.serveWaiters()
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `"${this.name}" was closed while this call waited for it`)
  }

  #queue(channel: number): WaitQueue {
    return this.#queues[channel] as WaitQueue
  }

  #meet(): void {
    if (this.isAwaited) this.#failWhatIsLost()
    else this.#company.meet()
  }

  /** Fails waits that nothing can end any more. Returns what was lost since the last call. */
  #failWhatIsLost(): number {
    const lost = this.#company.lost()
    if (lost) {
      // What a dead process left may be available now.
      this.#serveNow()
      for (const [channel, queue] of this.#queues.entries()) {
        const failure = this.#failureAfter(lost, channel)
        if (failure) queue.rejectAll(failure, false)
      }
    }
    return lost
  }

  #failureAfter(lost: number, channel: number): CrossmemError | undefined {
    if (isUnlinked(lost)) {
      return new CrossmemError('ERR_NOT_FOUND', `"${this.name}" was unlinked while this call waited for it`)
    }
    if (isAlone(lost) && this.#kind.needsOthers?.(channel, this.handle)) {
      return new CrossmemError(
        'ERR_PEER_DIED',
        `the last other process that had "${this.name}" open is gone, so nothing can end this wait`,
      )
    }
    return undefined
  }
}

/**
 * By the object's number. A handle that is dropped without `close()` keeps its object here: what it
 * holds must be found.
 */
const ours = new Map<number, SharedObject>()
/** The objects of all copies of this package. A copy that is dropped drops what it kept, too. */
const objects = shared('objects', () => new Map<number, WeakRef<SharedObject>>())
