import { CrossmemError, type CrossmemErrorCode } from '../errors.js'
import { join } from './agent.js'

/** The error that callers see for an error of the addon. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof CrossmemError) return error
  const code = String(error.code)
  if (code.startsWith('ERR_'))
    return new CrossmemError(code as CrossmemErrorCode, error.message, { cause: error })
  return new CrossmemError('ERR_INVALID_ARG', error.message, { cause: error })
}

/** A call that makes this environment an agent of its domain first. */
export function member<Args extends unknown[], Result>(
  call: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    try {
      join()
      return call(...args)
    } catch (error) {
      throw translate(error)
    }
  }
}

/** A call that needs no agent. */
export function visitor<Args extends unknown[], Result>(
  call: (...args: Args) => Result,
): (...args: Args) => Result {
  return (...args) => {
    try {
      return call(...args)
    } catch (error) {
      throw translate(error)
    }
  }
}
