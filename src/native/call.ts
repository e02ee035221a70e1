import { CrossmemError, type CrossmemErrorCode } from '../errors.js'
import { join } from './agent.js'

/** The error that callers see for an error of the addon. */
export function translate(error: unknown): unknown {
  // It may be of another realm than this module, so its class doesn't count.
  const { code, message } = Object(error) as { code?: unknown; message?: unknown }
  if (code === undefined || error instanceof CrossmemError) return error
  const isOurs = typeof code === 'string' && code.startsWith('ERR_')
  // Not with a cause: it would only say the same again.
  return new CrossmemError(isOurs ? (code as CrossmemErrorCode) : 'ERR_INVALID_ARG', String(message))
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
