// Names and shapes are those of TypeScript's lib.dom.d.ts, so that code written for
// `navigator.locks` type-checks unchanged.

/**
 * An `exclusive` lock is held alone; any number of `shared` locks of one name are held together.
 */
export type LockMode = 'exclusive' | 'shared'

/** How to request a lock. */
export interface LockOptions {
  /**
   * Whether the lock excludes all others of its name, or only exclusive ones. Default: `exclusive`.
   */
  mode?: LockMode
  /** Whether to call the callback with `null` if the lock isn't free at once. Default: false. */
  ifAvailable?: boolean
  /**
   * Whether to take the lock at once, before all requests that wait. The promises of its holders
   * reject with an `AbortError`. Default: false.
   */
  steal?: boolean
  /** Ends the request when aborted, unless the lock was granted already. */
  signal?: AbortSignal
}

/** A lock while its callback runs. */
export interface Lock {
  /** The name that was requested. */
  readonly name: string
  /** Whether the lock is held alone or shared. */
  readonly mode: LockMode
  /**
   * Whether the holder before this one died without releasing the lock: the guarded data may be
   * half-changed. Not part of the Web Locks API.
   */
  readonly recovered: boolean
}

/** Called when the lock is granted. The lock is held until the returned promise is settled. */
export type LockGrantedCallback<T> = (lock: Lock | null) => T

/** A lock that is held, or a request that waits. */
export interface LockInfo {
  /** The name of the lock. */
  name: string
  /** Whether the lock is held alone or shared. */
  mode: LockMode
  /**
   * The thread that made the request: one string for all requests of a thread, the same in every
   * process.
   */
  clientId: string
}

/** The locks of the domain at one instant. */
export interface LockManagerSnapshot {
  /** The locks that are held. */
  held: LockInfo[]
  /** The requests that wait, the oldest first. */
  pending: LockInfo[]
}

/**
 * The Web Locks API (https://w3c.github.io/web-locks/) for all processes of the domain. Requests
 * are served in order. A lock is held until the callback's promise is settled, or until its process
 * or worker thread dies.
 */
export interface LockManager {
  /**
   * Requests a lock, and calls `callback` when it is granted.
   *
   * @returns what the callback returns, after the lock was released
   * @throws {TypeError} an argument has a wrong type
   * @throws {DOMException} NotSupportedError: the options exclude each other, or the name is
   *   reserved. AbortError: the lock was stolen
   * @throws {CrossmemError} ERR_LIMIT: too many requests of the domain at once. ERR_TOO_LARGE: the
   *   name is too long. ERR_TIMEOUT: a stopped process is inside the table of locks. ERR_CORRUPT:
   *   the table was overwritten
   * @throws the signal's reason, if `signal` is aborted
   * @throws what the callback throws
   */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  /**
   * Requests a lock with options, and calls `callback` when it is granted.
   *
   * @returns as without options
   * @throws as without options
   */
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  /**
   * Lists all locks that are held, and all requests that wait, in the whole domain.
   *
   * @throws {CrossmemError} ERR_TIMEOUT: a stopped process is inside the table of locks.
   *   ERR_CORRUPT: the table was overwritten
   */
  query(): Promise<LockManagerSnapshot>
}
