/** Every `code` that a {@link CrossmemError} can carry. Codes are stable: programs may switch on them. */
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
  | 'ERR_PEER_DIED'
  | 'ERR_CORRUPT'
  | 'ERR_UNSUPPORTED'
  | 'ERR_DEADLOCK'
  | 'ERR_BUSY'
  | 'ERR_ENDED'
  | 'ERR_LOST_OWNERSHIP'
  | 'ERR_TOO_LARGE'
  | 'ERR_NO_EXTERNAL_BUFFERS'
  | 'ERR_BROKEN_BARRIER'
  | 'ERR_LIMIT'
  | 'ERR_PERMISSION'
  | 'ERR_OS'

/** The one error that crossmem throws: a stable `code`, and a `message` that says what to do. */
export class CrossmemError extends Error {
  override readonly name = 'CrossmemError'
  readonly code: CrossmemErrorCode

  constructor(code: CrossmemErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Whether it is an error of ours with one of these codes. */
export const hasCode = (error: unknown, ...codes: CrossmemErrorCode[]): boolean =>
  error instanceof CrossmemError && codes.includes(error.code)
