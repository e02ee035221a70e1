import { MsgpackReader } from './msgpack-reader.js'
import { MsgpackWriter } from './msgpack-writer.js'

const writers: MsgpackWriter[] = [new MsgpackWriter()]
let writing = 0

/**
 * Encodes a value as MessagePack. What MessagePack doesn't have follows a byte that it never uses.
 * Every runtime reads what another one wrote.
 */
export function encodeMsgpack(value: unknown): Uint8Array {
  // A getter of an outer value that is being written may have called this function.
  const writer = writers[writing] ?? new MsgpackWriter()
  writers[writing] = writer
  writing++
  try {
    return writer.write(value)
  } finally {
    writing--
  }
}

export const decodeMsgpack = (bytes: Uint8Array): unknown => new MsgpackReader(bytes).read()
