import { serialize } from 'node:v8'
import { withReferences } from './references.js'
import { Survey } from './survey.js'
import { decodeV8 } from './v8.js'

// This build of msgpackr compiles no code and loads no addon. A program's own extensions of
// msgpackr don't reach this copy.
const { Packr } = require('msgpackr/index-no-eval') as typeof import('msgpackr')

/** The first byte of a structured clone. MessagePack never uses it. */
const CLONE = 0xc1

/**
 * The most bytes that msgpackr's buffer keeps between messages. A long message makes it much
 * larger.
 */
const KEPT = 1 << 20

/**
 * Without records: a short message is smaller and faster so, and msgpackr confuses records with a
 * key `__keys__`. Without references: `Survey` found none, so bytes that hold one are corrupt.
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

/**
 * Encodes plain data as MessagePack, which is fast, and every other value as a structured clone.
 */
export function encodeMsgpack(value: unknown): Uint8Array {
  const { isPlain, holdsHandles } = new Survey(value)
  const sent = holdsHandles ? withReferences(value) : value
  return isPlain ? pack(sent) : clone(sent)
}

export function decodeMsgpack(bytes: Uint8Array): unknown {
  if (bytes[0] === CLONE) return decodeV8(bytes.subarray(1))
  // If the message is a Buffer, msgpackr makes Buffers of the bytes inside it.
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
  // A getter of an outer value that is being packed may have called this function.
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
