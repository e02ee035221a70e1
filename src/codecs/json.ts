import { CrossmemError } from '../errors.js'
import { kindOf } from './kinds.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Encodes a value as `JSON.stringify` does.
 *
 * @throws {TypeError} it holds what can't travel, such as a Blob
 */
export function encodeJson(value: unknown): Uint8Array {
  const text = stringify(value)
  if (text !== undefined) return Buffer.from(text)
  throw new TypeError(`JSON has no ${typeof value}`)
}

export const decodeJson = (bytes: Uint8Array): unknown => JSON.parse(utf8.decode(bytes))

/** Returns `undefined` if JSON has nothing for the value. */
export function stringify(value: unknown): string | undefined {
  const text = texts(value)
  // An object that has lost its state has become this.
  if (text?.includes('{}')) JSON.stringify(value, checked)
  return text
}

function texts(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    // An object of ours doesn't know where in the value it is.
    throw cause instanceof CrossmemError ? (cause.cause ?? cause) : cause
  }
}

function checked(_key: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) kindOf(value)
  return value
}
