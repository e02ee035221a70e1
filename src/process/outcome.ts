import { CrossmemError } from '../errors.js'
import { type Packed, pack } from './handles.js'

/**
 * Encodes what a function returned.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: a part of it can't be sent
 */
export function packResult(value: unknown, share: boolean): Packed {
  try {
    return pack(value, { share })
  } catch (cause) {
    const { code, message } = cause as CrossmemError
    throw new CrossmemError(code, `the result: ${message}`, { cause })
  }
}

/** An error whose parts can't be sent goes as its text. */
export function packError(error: unknown): Uint8Array {
  try {
    return pack(error, { share: false }).bytes
  } catch {
    const { name, message = String(error), stack } = Object(error) as Partial<Error>
    const text = new Error(String(message))
    Object.defineProperty(text, 'name', { value: String(name ?? 'Error') })
    Object.defineProperty(text, 'stack', { value: String(stack ?? message) })
    return pack(text).bytes
  }
}
