import type { Collector, Locate } from './collector.js'
import { MsgpackReader } from './msgpack-reader.js'
import { MsgpackWriter } from './msgpack-writer.js'
import type { Structures } from './structures.js'

const writers: MsgpackWriter[] = [new MsgpackWriter()]
let writing = 0

/**
 * Encodes a value as MessagePack. What MessagePack doesn't have follows a byte that it never uses.
 * Every runtime reads what another one wrote.
 */
export function encodeMsgpack(value: unknown, structures?: Structures, collector?: Collector): Uint8Array {
  // A getter of an outer value that is being written may have called this function.
  const writer = writers[writing] ?? new MsgpackWriter()
  writers[writing] = writer
  writing++
  try {
    writer.begin(structures, collector)
    writer.write(value)
    return writer.written
  } finally {
    writer.end()
    writing--
  }
}

const reader = new MsgpackReader()
let isReading = false

/** Decodes what `encodeMsgpack` wrote. */
export function decodeMsgpack(message: Uint8Array, structures?: Structures, locate?: Locate): unknown {
  // A class of the runtime's that a program has replaced may have called this function.
  if (isReading) return new MsgpackReader().open(message, structures, locate).read(0, message.length)
  isReading = true
  try {
    return reader.open(message, structures, locate).read(0, message.length)
  } finally {
    isReading = false
    reader.close()
  }
}
