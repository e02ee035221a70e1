import { AsyncResource } from 'node:async_hooks'
import { hasCode } from '../errors.js'
import { fates, type LockRequest, nativeNamedLocks, type OpenSegment, shared } from '../native/index.js'
import { begin, end, offAbort, onAbort, setImmediate, watch } from '../wait/index.js'
import type { CheckedRequest } from './arguments.js'
import type { LockManagerSnapshot } from './types.js'

// Enters requests of this environment into the domain's table, and hears the table's news of them.

const { PENDING, GRANTED_AFTER_DEATH, STOLEN } = fates

/** Makes the lock for the callback. */
export type MakeLock = (recovered: boolean) => unknown

const state = shared('named locks', () => ({
  table: undefined as OpenSegment | undefined,
  requests: new Map<number, Request>(),
  /**
   * Requests that are over but still in the table, since a stopped process is inside it. Each has a
   * callback to run once the request is out.
   */
  unended: new Map<Request, () => void>(),
  /** Ends what keeps the reactor ticking often. */
  calm: undefined as (() => void) | undefined,
}))
const { requests, unended } = state

/** The domain's table of locks, opened by the first use. */
function opened(): OpenSegment {
  if (!state.table) {
    state.table = nativeNamedLocks.openLocks()
    // As long as the table is open: the reactor counts it as one wait.
    watch(hearNews)
  }
  return state.table
}

/** Enters a request into the table. Its callback runs in a later turn of the event loop. */
export function request(wanted: CheckedRequest, makeLock: MakeLock): Promise<unknown> {
  const { name, mode, ifAvailable, steal } = wanted
  const { handle } = opened()
  const entered = nativeNamedLocks.requestLock(
    handle,
    Buffer.from(name, 'utf16le'),
    mode === 'shared',
    ifAvailable,
    steal,
  )
  // AsyncLocalStorage shows the callback the context in which the request was made.
  const callback = AsyncResource.bind(wanted.callback, 'crossmem.locks.request')
  if (!entered) return new Promise(resolve => setImmediate(resolve)).then(() => callback(null))
  return new Promise((resolve, reject) => {
    const request = new Request(entered.request, { ...wanted, callback }, makeLock, resolve, reject)
    if (entered.fate !== PENDING) request.hear(entered.fate)
    if (entered.news) hearNews(false)
  })
}

/** The locks that are held and the requests that wait in the whole domain. */
export function snapshot(): LockManagerSnapshot {
  const { handle, id } = opened()
  const found: LockManagerSnapshot = { held: [], pending: [] }
  for (const { name, shared, held, instance } of nativeNamedLocks.queryLocks(handle)) {
    const list = held ? found.held : found.pending
    list.push({
      name: Buffer.from(name.buffer, name.byteOffset, name.length).toString('utf16le'),
      mode: shared ? 'shared' : 'exclusive',
      clientId: `${id.toString(36)}-${instance.toString(36)}`,
    })
  }
  return found
}

/**
 * Hands news of the table to its requests: after a ring, a tick, or a change by this environment.
 */
function hearNews(ticked: boolean): void {
  if (requests.size === 0) return
  for (const [request, then] of ticked ? [...unended] : []) {
    request.endAgain(then)
    // Still stuck: one attempt a tick is enough, since each may block for a moment.
    if (unended.has(request)) break
  }
  let missed = false
  try {
    for (const { ticket, fate } of nativeNamedLocks.lockNews(opened().handle, ticked))
      requests.get(ticket)?.hear(fate)
  } catch (error) {
    missed = isStuck(error)
    if (!missed) for (const request of [...requests.values()]) request.fail(error)
  }
  tickOften(missed || unended.size > 0)
}

/** No process rings when one that is stopped inside the table goes on: each tick tries again. */
function tickOften(often: boolean): void {
  if (often) state.calm ??= watch(() => undefined)
  else {
    state.calm?.()
    state.calm = undefined
  }
}

/** Whether a stopped process is inside the table. */
const isStuck = (error: unknown): boolean => hasCode(error, 'ERR_TIMEOUT')

/**
 * One request from its entry to its end. Its promise settles once; later calls of `#resolve` or
 * `#reject` do nothing.
 */
class Request {
  readonly #entered: LockRequest
  readonly #wanted: CheckedRequest
  readonly #makeLock: MakeLock
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: unknown) => void
  #isGranted = false
  #isRecovered = false
  #isDelivered = false

  constructor(
    entered: LockRequest,
    wanted: CheckedRequest,
    makeLock: MakeLock,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#entered = entered
    this.#wanted = wanted
    this.#makeLock = makeLock
    this.#resolve = resolve
    this.#reject = reject
    if (wanted.signal) onAbort(wanted.signal, this.#abort)
    requests.set(entered.ticket, this)
    begin(false)
  }

  /** The table has news of it. */
  hear(fate: number): void {
    // A stolen lock was granted before, even if this request hears of both only now.
    if (!this.#isGranted) this.#grant(fate === GRANTED_AFTER_DEATH)
    if (fate !== STOLEN) return
    this.#forget()
    this.#rejectStolen()
  }

  #rejectStolen(): void {
    this.#reject(new DOMException(`the lock "${this.#wanted.name}" was stolen`, 'AbortError'))
  }

  /**
   * The table can't be used any more. A request with a lock learns that when it releases the lock.
   */
  fail(error: unknown): void {
    if (this.#isGranted) return
    this.#forget()
    this.#reject(error)
  }

  #grant(isRecovered: boolean): void {
    // A pending request keeps the process alive; a held lock doesn't.
    begin(true)
    end(false)
    this.#isGranted = true
    this.#isRecovered = isRecovered
    setImmediate(() => this.#deliver())
  }

  #deliver(): void {
    const { signal, callback } = this.#wanted
    if (signal?.aborted) {
      // `#abort` may not have been called: an earlier listener of the signal can prevent it.
      this.#abort(signal.reason)
      return
    }
    if (signal) offAbort(signal, this.#abort)
    this.#isDelivered = true
    const lock = this.#makeLock(this.#isRecovered)
    const waiting = new Promise(resolve => resolve(callback(lock)))
    waiting.then(
      value => this.#end(() => this.#resolve(value)),
      error => this.#end(() => this.#reject(error)),
    )
  }

  readonly #abort = (reason: unknown): void => {
    this.#reject(reason)
    this.#end(() => undefined)
  }

  /** Takes the request out of the table, then calls `then`. */
  #end(then: () => void): void {
    if (!requests.has(this.#entered.ticket)) return
    let ended = { stolen: false, news: false }
    try {
      ended = nativeNamedLocks.endLockRequest(opened().handle, this.#entered, !this.#isDelivered)
    } catch (error) {
      if (isStuck(error)) {
        // Keeps the process alive until the request is out of the table.
        if (!unended.has(this)) begin(false)
        unended.set(this, then)
        tickOften(true)
        return
      }
      this.#reject(error)
    }
    this.#forget()
    // The theft may be news.
    if (ended.stolen) this.#rejectStolen()
    if (ended.news) hearNews(false)
    then()
  }

  /** Tries again to take the request out of the table. */
  endAgain(then: () => void): void {
    this.#end(then)
  }

  #forget(): void {
    const { signal } = this.#wanted
    if (signal) offAbort(signal, this.#abort)
    if (unended.delete(this)) end(false)
    end(this.#isGranted)
    requests.delete(this.#entered.ticket)
    if (requests.size === 0) tickOften(false)
  }
}
