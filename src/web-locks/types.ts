// Named and shaped as in TypeScript's lib.dom.d.ts, so that code written for `navigator.locks` type-checks unchanged.

/** `shared` locks of one name are held together, an `exclusive` one alone. */
export type LockMode = 'exclusive' | 'shared'

/** How to request a lock. */
export interface LockOptions {
  /** Default: `exclusive`. */
  mode?: LockMode
  /** Only if it can be had at once; otherwise the callback gets `null`. Default: false. */
  ifAvailable?: boolean
  /** At once, before all who wait; the promises of those who hold it reject with an `AbortError`. Default: false. */
  steal?: boolean
  /** Aborting it ends the request, unless the lock was granted already. */
  signal?: AbortSignal
}

/** A lock while its callback runs. */
export interface Lock {
  readonly name: string
  readonly mode: LockMode
  /**
   * Whether a holder before this one died without releasing the lock: what the lock guards may be half-changed. Not part of
   * the Web Locks API.
   */
  readonly recovered: boolean
}

/** Called when the lock is granted; the lock is held until what it returns is settled. */
export interface LockGrantedCallback<T> {
  (lock: Lock | null): T
}

/** A lock that is held, or a request that waits. */
export interface LockInfo {
  name: string
  mode: LockMode
  /** The thread that asked: the same string in every process, and in all of its requests. */
  clientId: string
}

/** What `query` found at one instant. */
export interface LockManagerSnapshot {
  held: LockInfo[]
  /** The oldest request first. */
  pending: LockInfo[]
}

/**
 * The Web Locks API for all processes of the domain, as in https://w3c.github.io/web-locks/: requests are served in order,
 * and a lock is held until the callback's promise settles, or its process or worker dies.
 */
export interface LockManager {
  /**
   * Requests a lock, and calls `callback` when it is granted.
   *
   * @returns what the callback returns, once the lock was released. Rejects with what it throws; with a `TypeError` or a
   *   `NotSupportedError` if the arguments make no sense; with the signal's reason; with an `AbortError` when the lock was
   *   stolen; with a `CrossmemError`: ERR_LIMIT (too many requests at once), ERR_TOO_LARGE (the name), ERR_TIMEOUT (a stopped
   *   process is inside the table of locks), ERR_CORRUPT
   */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  /** All locks that are held and all requests that wait, in the whole domain. */
  query(): Promise<LockManagerSnapshot>
}
