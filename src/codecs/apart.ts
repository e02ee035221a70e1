import { cannotSend, notWritten } from './bind.js'
import { Collector, type Locate, type Piece } from './collector.js'
import { decodeMsgpack, encodeMsgpack } from './msgpack.js'

/** A message, and what lies outside of it. */
export interface Message {
  /** Valid until the next call. */
  bytes: Uint8Array
  /** Large memory that the value shows. */
  pieces: Piece[]
  /** All memory that the value shows. */
  memories: ReadonlySet<ArrayBufferLike>
  /** All handles in the value. */
  handles: ReadonlySet<object>
}

/**
 * Encodes a value as the codec 'msgpack' does, without the bytes of large memory.
 *
 * @param least from so many bytes on, memory is large
 * @param what how an error message calls the value. Default: 'value'
 * @throws {CrossmemError} ERR_INVALID_ARG: a part of it can't be sent
 */
export function encodeApart(value: unknown, least: number, what?: string): Message {
  const collector = new Collector(least)
  try {
    let bytes = encodeMsgpack(value, undefined, collector)
    const pieces = collector.settle()
    // Now it is known which small views show large memory: they share it, too.
    if (collector.hasSplit) bytes = encodeMsgpack(value, undefined, collector)
    return { bytes, pieces, memories: collector.memories, handles: collector.handles }
  } catch (cause) {
    throw cannotSend(value, cause, encodeMsgpack, what)
  }
}

/**
 * Decodes what `encodeApart` encoded.
 *
 * @throws {CrossmemError} ERR_CORRUPT: it didn't write these bytes
 */
export function decodeApart(bytes: Uint8Array, locate: Locate): unknown {
  try {
    return decodeMsgpack(bytes, undefined, locate)
  } catch (cause) {
    throw notWritten(bytes.length, "'msgpack'", cause)
  }
}
