import { DefaultDeserializer, deserialize, serialize } from 'node:v8'
import { bytesOf } from '../util/index.js'
import { needsStandIns, withoutStandIns, withStandIns } from './stand-ins.js'

/** The first byte of a message with stand-ins. V8's own begin with another one. */
const STAND_INS = 0xc1

/** Encodes a value as a structured clone. */
export function encodeV8(value: unknown): Uint8Array {
  if (!needsStandIns(value)) return serialize(value)
  const serialized = serialize(withStandIns(value))
  const bytes = Buffer.allocUnsafe(1 + serialized.length)
  bytes[0] = STAND_INS
  bytes.set(serialized, 1)
  return bytes
}

const { _readHostObject: readView } = DefaultDeserializer.prototype as unknown as {
  _readHostObject(): NodeJS.ArrayBufferView
}

/**
 * Gives each typed array a buffer of its own. Node's own deserializer makes arrays that show the
 * message's bytes.
 */
class Reader extends DefaultDeserializer {
  _readHostObject(): NodeJS.ArrayBufferView {
    const view = readView.call(this)
    const { buffer } = new Uint8Array(bytesOf(view))
    if (Buffer.isBuffer(view)) return Buffer.from(buffer)
    const View = view.constructor as new (buffer: ArrayBuffer) => NodeJS.ArrayBufferView
    return new View(buffer)
  }
}

/** Decodes a structured clone. The value shares no memory with the bytes. */
export function decodeV8(bytes: Uint8Array): unknown {
  if (bytes[0] !== STAND_INS) return decodeClone(bytes)
  return withoutStandIns(decodeClone(bytes.subarray(1)) as Parameters<typeof withoutStandIns>[0])
}

function decodeClone(bytes: Uint8Array): unknown {
  // Bun has no deserializer to derive from, and its `deserialize` copies.
  if (process.versions.bun) return deserialize(bytes)
  const reader = new Reader(bytes)
  reader.readHeader()
  return reader.readValue()
}
