/**
 * Every `code` of a {@link CrossmemError}. Codes are stable, so programs may switch on them;
 * docs/errors.md explains each.
 */
export type CrossmemErrorCode =
  | 'ERR_EXISTS'
  | 'ERR_NOT_FOUND'
  | 'ERR_WRONG_KIND'
  | 'ERR_WRONG_DOMAIN'
  | 'ERR_INVALID_NAME'
  | 'ERR_INVALID_ARG'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_NO_SPACE'
  | 'ERR_TIMEOUT'
  | 'ERR_CLOSED'
  | 'ERR_DETACHED'
  | 'ERR_PEER_DIED'
  | 'ERR_WORKER_DIED'
  | 'ERR_CORRUPT'
  | 'ERR_UNSUPPORTED'
  | 'ERR_DEADLOCK'
  | 'ERR_BUSY'
  | 'ERR_ENDED'
  | 'ERR_LOST'
  | 'ERR_LOST_OWNERSHIP'
  | 'ERR_TOO_LARGE'
  | 'ERR_NO_ADDON'
  | 'ERR_UNSUPPORTED_PLATFORM'
  | 'ERR_NO_EXTERNAL_BUFFERS'
  | 'ERR_BROKEN_BARRIER'
  | 'ERR_LIMIT'
  | 'ERR_PERMISSION'
  | 'ERR_OS'
  | 'ERR_DISCONNECTED'
  | 'ERR_READ_ONLY'
  | 'ERR_SERVER'

/** Marks every CrossmemError, also those of another copy of this package. */
const BRAND = Symbol.for('crossmem.CrossmemError')

/**
 * The only error that crossmem throws, apart from an abort signal's reason: a stable `code`, and a
 * `message` that says what to do.
 *
 * Each call lists its errors. What the system can do to any call that creates, opens or removes an
 * object isn't repeated there. ERR_TIMEOUT: a stopped process is inside the registry. ERR_CORRUPT:
 * the domain's control segment was removed or overwritten, or the object was. ERR_PERMISSION: the
 * system refuses access to shared memory. ERR_OS: the system refuses something for another reason.
 * ERR_NO_EXTERNAL_BUFFERS: the runtime can't show shared memory. The first such call of a process
 * joins the domain, so it can also throw ERR_NO_SPACE and ERR_LIMIT.
 *
 * @example
 * ```js
 * import { CrossmemError, SharedMemory } from 'crossmem'
 *
 * try {
 *   SharedMemory.open('no-such-name')
 * } catch (error) {
 *   console.log(error instanceof CrossmemError, error.code) // true ERR_NOT_FOUND
 * }
 * ```
 */
export class CrossmemError extends Error {
  /** Always `'CrossmemError'`. */
  override readonly name = 'CrossmemError'
  /** Says what went wrong, for programs. */
  readonly code: CrossmemErrorCode

  /** crossmem makes these errors itself; a program may make one to stand for such a failure. */
  constructor(code: CrossmemErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }

  /** @internal */
  get [BRAND](): boolean {
    return true
  }

  /** An error of another copy of this package is one, too. @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // Subclasses of programs are told apart as usual.
    // biome-ignore lint/complexity/noThisInStatic: `this` is the class on the right of instanceof.
    if (this !== CrossmemError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && BRAND in value
  }
}

/**
 * The error with the stack of the caller that awaits it; of a wait that failed, the stack tells
 * only of a timer or of the event loop.
 */
export const thrownHere = (error: unknown): unknown =>
  error instanceof CrossmemError ? new CrossmemError(error.code, error.message, error) : error

/** Whether `error` is a CrossmemError with one of these codes. */
export const hasCode = (error: unknown, ...codes: CrossmemErrorCode[]): boolean =>
  error instanceof CrossmemError && codes.includes(error.code)
