import { serialize } from 'node:v8'
import { Survey, withReferences } from './survey.js'
import { decodeV8 } from './v8.js'

// This build neither compiles code nor loads an addon, and isn't the copy that a program may have taught other types.
const { Packr } = require('msgpackr/index-no-eval') as typeof import('msgpackr')

/** The byte that MessagePack never uses: behind it is a structured clone. */
const CLONE = 0xc1

/** How many bytes msgpackr's buffer may have between messages; a long message makes it much larger. */
const KEPT = 1 << 20

/**
 * No records: a short message is smaller and faster without, and msgpackr confuses them with a key `__keys__`.
 * No references: `Survey` has seen that there are none, and bytes that hold some are damaged.
 */
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  moreTypes: true,
  useToJSON: false,
  structuredClone: false,
  copyBuffers: true,
})

let packing = 0

/** Plain data as MessagePack, which is fast; whatever else structured clone knows as such a clone. */
export function encodeMsgpack(value: unknown): Uint8Array {
  const { isPlain, holdsHandles } = new Survey(value)
  const sent = holdsHandles ? withReferences(value) : value
  return isPlain ? pack(sent) : clone(sent)
}

export function decodeMsgpack(bytes: Uint8Array): unknown {
  if (bytes[0] === CLONE) return decodeV8(bytes.subarray(1))
  // As a Buffer, so that a Buffer inside it comes out as one.
  return packr.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

function pack(value: unknown): Uint8Array {
  packing++
  let bytes: Uint8Array
  try {
    bytes = packr.encode(value)
  } finally {
    packing--
  }
  // A getter may have called us while an outer value is being packed.
  if (packing === 0 && bytes.buffer.byteLength > KEPT) packr.useBuffer(Buffer.allocUnsafeSlow(8192))
  return bytes
}

function clone(value: unknown): Uint8Array {
  const serialized = serialize(value)
  const bytes = Buffer.allocUnsafe(1 + serialized.length)
  bytes[0] = CLONE
  bytes.set(serialized, 1)
  return bytes
}
