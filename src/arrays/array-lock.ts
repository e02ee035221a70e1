import { CrossmemError } from '../errors.js'
import { answers, nativeArrays, shared } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import {
  HELD_HERE,
  point,
  type SyncWaitOptions,
  type WaitOptions,
  WaitQueue,
  type WaitSpec,
  waitSync,
} from '../wait/index.js'
import type { UpdateContext } from './update.js'

const { NOT_YET, GOT_AFTER_DEATH, HELD_HERE: HOLDS_IT } = answers

// The waits of this environment, by object. The handles of one array have one queue each, and one
// mutex between them.
const waiting = shared('array locks', () => new Map<number, Set<WaitQueue>>())

/**
 * Lets the waits at an object try again: this environment released the mutex, or a blocking wait
 * took it out of the set of sleepers.
 */
function serveWaiters(id: number, except?: WaitQueue): void {
  const queues = waiting.get(id)
  if (!queues) return
  for (const queue of [...queues]) {
    if (queue.isEmpty) queues.delete(queue)
    else if (queue !== except) queue.serveSoon()
  }
  if (queues.size === 0) waiting.delete(id)
}

/** The mutex of an array's writers, through one handle of the array. */
export class ArrayLock {
  readonly #id: number
  readonly #handle: number
  readonly #name: string
  readonly #spec: WaitSpec<UpdateContext>
  #queue: WaitQueue | undefined
  #isHeld = false
  #isClosed = false

  constructor({ id, handle, name }: Segment) {
    this.#id = id
    this.#handle = handle
    this.#name = name
    this.#spec = { attempt: mode => this.#attempt(mode), doing: `updating "${name}"` }
  }

  /** Waits for the mutex, and blocks this thread meanwhile. */
  enterSync(options: SyncWaitOptions | undefined): UpdateContext {
    const attempt = (mode: number): UpdateContext | undefined => {
      const found = this.#attempt(mode)
      if (found !== HELD_HERE) return found
      throw new CrossmemError(
        'ERR_DEADLOCK',
        `this thread is already inside update() or withLock() of "${this.#name}"; finish that first`,
      )
    }
    try {
      return waitSync(attempt, this.#spec.doing, options)
    } finally {
      serveWaiters(this.#id)
    }
  }

  /**
   * Waits for the mutex without blocking the event loop, in order with this handle's other waits.
   */
  enter(options: WaitOptions | undefined): Promise<UpdateContext> {
    this.#queue ??= this.#newQueue()
    return this.#queue.wait(this.#spec, options)
  }

  /**
   * Releases the mutex. Unless the data `isWhole`, the next holder is told as if this one had died.
   */
  leave(isWhole: boolean): void {
    this.#isHeld = false
    if (isWhole) nativeArrays.endUpdate(this.#handle)
    else nativeArrays.abandonUpdate(this.#handle)
    serveWaiters(this.#id)
  }

  /** A blocking snapshot took this environment out of the set of sleepers. */
  serveWaiters(): void {
    serveWaiters(this.#id)
  }

  /** Rejects the waits with ERR_CLOSED. */
  close(): void {
    if (this.#isHeld) {
      throw new CrossmemError('ERR_DEADLOCK', `finish the update of "${this.#name}" before closing it`)
    }
    this.#isClosed = true
    this.#queue?.rejectAll(this.#closed(), true)
  }

  #attempt(mode: number): UpdateContext | undefined | typeof HELD_HERE {
    if (this.#isClosed) throw this.#closed()
    const status = nativeArrays.beginUpdate(this.#handle, mode)
    if (status === NOT_YET) return undefined
    if (status === HOLDS_IT) return HELD_HERE
    this.#isHeld = true
    this.#letOthersGoFirst()
    return { ownerDied: status === GOT_AFTER_DEATH }
  }

  #newQueue(): WaitQueue {
    const queue = new WaitQueue(point(this.#handle), {
      disarm: () => {
        nativeArrays.cancelUpdate(this.#handle)
        serveWaiters(this.#id, queue)
      },
      onFirst: () => waiting.set(this.#id, (waiting.get(this.#id) ?? new Set()).add(queue)),
      onTick: () => undefined,
    })
    return queue
  }

  /** Moves this handle's queue behind those of the array's other handles. */
  #letOthersGoFirst(): void {
    const queues = waiting.get(this.#id)
    if (this.#queue && queues?.delete(this.#queue)) queues.add(this.#queue)
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `"${this.#name}" was closed while this call waited for it`)
  }
}
