const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Encodes a value as `JSON.stringify` does. */
export function encodeJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value) as string | undefined
  if (text !== undefined) return Buffer.from(text)
  throw new TypeError(`JSON has no ${typeof value}`)
}

export const decodeJson = (bytes: Uint8Array): unknown => JSON.parse(utf8.decode(bytes))
