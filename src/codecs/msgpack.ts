import { MsgpackReader } from './msgpack-reader.js'
import { MsgpackWriter } from './msgpack-writer.js'
import type { Structures } from './structures.js'

const writers: MsgpackWriter[] = [new MsgpackWriter()]
let writing = 0

/**
 * Encodes a value as MessagePack. What MessagePack doesn't have follows a byte that it never uses.
 * Every runtime reads what another one wrote.
 */
export function encodeMsgpack(value: unknown, structures?: Structures): Uint8Array {
  // A getter of an outer value that is being written may have called this function.
  const writer = writers[writing] ?? new MsgpackWriter()
  writers[writing] = writer
  writing++
  try {
    writer.begin(structures)
    writer.write(value)
    return writer.written
  } finally {
    writer.end()
    writing--
  }
}

export function decodeMsgpack({ buffer, byteOffset, length }: Uint8Array, structures?: Structures): unknown {
  // Code of the user's runs only where a built-in method was replaced; a reader of its own is safe.
  const reader = new MsgpackReader()
  reader.open(Buffer.from(buffer as ArrayBuffer, byteOffset, length), structures)
  return reader.read(0, length)
}
