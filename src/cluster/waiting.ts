import { hasCode } from '../errors.js'
import { checkOptions, type OptionNames } from '../util/index.js'
import {
  checkWait,
  clearTimeout,
  LONGEST_TIMER,
  offAbort,
  onAbort,
  setTimeout,
  throwIfAborted,
  timedOut,
} from '../wait/index.js'
import type { News, Session } from './session.js'
import type { Sessions } from './sessions.js'

/** How long to wait at a server, and what ends the wait earlier. */
export interface RemoteWaitOptions {
  /** Milliseconds; 0 tries once. Default: without limit. */
  timeout?: number
  /** Aborting it ends the wait: the promise rejects with the signal's reason. */
  signal?: AbortSignal
}

export const REMOTE_WAIT_OPTIONS: OptionNames<RemoteWaitOptions> = { timeout: true, signal: true }

/** What came of a wait that is to be cancelled: its news are on their way, so it must go on. */
export const TOO_LATE = Symbol('too late')

/** A wait as its object describes it. */
export interface Ask<T> {
  /** What is waited for, as the error message says it: `locking "ledger"`. */
  readonly doing: string
  /** The key of the object. */
  readonly key: string
  /**
   * Whether it may be asked again in another session: what the lost one had been given is gone.
   */
  readonly repeats: boolean
  /** Whether news follow even if it may not wait. */
  readonly isAlwaysTold?: boolean
  /** Asks. `undefined`: there is nothing now, and it stands in line if it may wait. */
  begin(session: Session, number: number, mayWait: boolean): Promise<T | undefined>
  /** Makes a result of news; `undefined` if more will come. */
  hear(news: News, session: Session, number: number): T | undefined | Promise<T | undefined>
  /**
   * Takes it out of the line, and takes back what it has been given meanwhile. Returns a result if
   * that can't be taken back.
   */
  cancel(session: Session, number: number, begun: T | undefined): Promise<T | typeof TOO_LATE | undefined>
  /** Looks whether anyone has died whom it waits for. Without it, no death matters. */
  look?(session: Session): Promise<unknown>
}

/** `{ timeout, signal }`, checked. */
export function checkRemoteWait(options: RemoteWaitOptions | undefined): {
  timeout: number
  signal?: AbortSignal | undefined
} {
  const { timeout, signal } = checkWait(checkOptions(options, REMOTE_WAIT_OPTIONS))
  return { timeout, signal }
}

/** What ends a wait from outside: time, a signal, or the handle. */
export class Stop {
  #timer: NodeJS.Timeout | undefined
  readonly #acts = new Set<(reason: unknown) => void>()
  #reason: { is: unknown } | undefined
  readonly #signal: AbortSignal | undefined
  readonly #abort = (reason: unknown) => this.now(reason)

  constructor(timeout: number, signal: AbortSignal | undefined, doing: string) {
    if (timeout > 0 && timeout <= LONGEST_TIMER) {
      this.#timer = setTimeout(() => this.now(timedOut(doing, timeout)), timeout)
    }
    this.#signal = signal
    if (signal) onAbort(signal, this.#abort)
  }

  get isStopped(): boolean {
    return this.#reason !== undefined
  }

  now(reason: unknown): void {
    if (this.#reason) return
    this.#reason = { is: reason }
    for (const act of this.#acts) act(reason)
  }

  /** Calls `act` when it stops, or at once. Returns the function that ends this. */
  on(act: (reason: unknown) => void): () => void {
    if (this.#reason) act(this.#reason.is)
    this.#acts.add(act)
    return () => this.#acts.delete(act)
  }

  dispose(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#signal) offAbort(this.#signal, this.#abort)
  }

  /** The promise, or the reason if it stops earlier. */
  async orStop<T>(promise: Promise<T>): Promise<T> {
    let off: (() => void) | undefined
    try {
      return await new Promise<T>((resolve, reject) => {
        promise.then(resolve, reject)
        off = this.on(reject)
      })
    } finally {
      off?.()
    }
  }
}

/**
 * Waits at the server.
 *
 * @param stops the waits of the handle, which closing ends
 */
export async function waitRemotely<T>(
  sessions: Sessions,
  ask: Ask<T>,
  options: RemoteWaitOptions | undefined,
  stops: Set<Stop>,
): Promise<T> {
  const { timeout, signal } = checkRemoteWait(options)
  throwIfAborted(signal)
  const stop = new Stop(timeout, signal, ask.doing)
  stops.add(stop)
  try {
    for (;;) {
      const session = await stop.orStop(sessions.get())
      try {
        const found = await attempt(session, ask, timeout > 0, stop)
        if (found !== undefined) return found
        throw timedOut(ask.doing, timeout)
      } catch (error) {
        if (!ask.repeats || stop.isStopped || !session.lost || !hasCode(error, 'ERR_DISCONNECTED'))
          throw error
      }
    }
  } finally {
    stops.delete(stop)
    stop.dispose()
  }
}

/** Asks once without waiting; `undefined` if there is nothing. */
export async function tryRemotely<T>(sessions: Sessions, ask: Ask<T>): Promise<T | undefined> {
  const session = await sessions.get()
  return ask.begin(session, session.nextNumber(), false)
}

async function attempt<T>(
  session: Session,
  ask: Ask<T>,
  mayWait: boolean,
  stop: Stop,
): Promise<T | undefined> {
  const number = session.nextNumber()
  const ends: (() => void)[] = []
  let isOver = false
  try {
    return await new Promise<T | undefined>((resolve, reject) => {
      let held: News[] | undefined
      const take = async (news: News): Promise<void> => {
        try {
          const found = await ask.hear(news, session, number)
          if (found !== undefined) resolve(found)
        } catch (error) {
          reject(error)
        }
      }
      const hear = (news: News): void => {
        if (held) held.push(news)
        else void take(news)
      }
      session.expect(number, hear)
      ends.push(() => session.forget(number, hear))

      const lost = { lose: reject }
      session.held.add(lost)
      ends.push(() => session.held.delete(lost))

      const begun = ask.begin(session, number, mayWait)
      begun.then(found => {
        // News by the other connection may have overtaken the answer.
        if (held || isOver) return
        if (found !== undefined || !(mayWait || ask.isAlwaysTold)) resolve(found)
        else if (ask.look) ends.push(session.watch(ask.key, () => ask.look?.(session) ?? Promise.resolve()))
      }, reject)

      const cancel = async (reason: unknown): Promise<void> => {
        // News that come from now on may be of something that is taken back.
        held = []
        const late = await ask.cancel(session, number, await begun)
        if (late === undefined) return reject(reason)
        if (late !== TOO_LATE) return resolve(late)
        const missed = held
        held = undefined
        for (const news of missed) void take(news)
      }
      ends.push(stop.on(reason => void cancel(reason).catch(reject)))
    })
  } finally {
    isOver = true
    for (const end of ends) end()
  }
}
