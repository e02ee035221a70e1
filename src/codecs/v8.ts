import { DefaultDeserializer, deserialize, serialize } from 'node:v8'
import { bytesOf } from '../util/index.js'
import { Survey, withReferences } from './survey.js'

/** A structured clone of the value, as bytes. */
export const encodeV8 = (value: unknown): Uint8Array =>
  serialize(new Survey(value).holdsHandles ? withReferences(value) : value)

const { _readHostObject: readView } = DefaultDeserializer.prototype as unknown as {
  _readHostObject(): NodeJS.ArrayBufferView
}

/** Node's own one makes typed arrays that show the message's bytes; here each gets a buffer of its own. */
class Reader extends DefaultDeserializer {
  _readHostObject(): NodeJS.ArrayBufferView {
    const view = readView.call(this)
    const { buffer } = new Uint8Array(bytesOf(view))
    if (Buffer.isBuffer(view)) return Buffer.from(buffer)
    const View = view.constructor as new (buffer: ArrayBuffer) => NodeJS.ArrayBufferView
    return new View(buffer)
  }
}

/** The structured clone that the bytes stand for; it shares no memory with them. */
export function decodeV8(bytes: Uint8Array): unknown {
  // Bun has nothing to derive from, and its `deserialize` copies.
  if (process.versions.bun) return deserialize(bytes)
  const reader = new Reader(bytes)
  reader.readHeader()
  return reader.readValue()
}
