/**
 * What the database has of an entry: 24 bytes of numbers, and the value.
 *
 * | bytes | what |
 * | --- | --- |
 * | 0 | the entry's number: another one after each `set` |
 * | 8 | when it was made or was found to be used: its place in the order of use; 0 without an order |
 * | 16 | when it expires, in milliseconds since 1970; 0: never |
 */
export interface Facts {
  readonly id: number
  readonly order: number
  readonly expires: number
}

/** Where the value begins. */
export const FACTS_BYTES = 24

let shown: ArrayBufferLike | undefined
let view: DataView = new DataView(new ArrayBuffer(FACTS_BYTES))
let base = 0

/** Points `view` at bytes. LMDB copies most values to one buffer, which needs one view. */
function look(bytes: Uint8Array): void {
  base = bytes.byteOffset
  if (bytes.buffer === shown) return
  shown = bytes.buffer
  view = new DataView(shown)
}

export function idOf(bytes: Uint8Array): number {
  look(bytes)
  return view.getFloat64(base, true)
}

export function expiresAt(bytes: Uint8Array): number {
  look(bytes)
  return view.getFloat64(base + 16, true)
}

export function factsOf(bytes: Uint8Array): Facts {
  look(bytes)
  return {
    id: view.getFloat64(base, true),
    order: view.getFloat64(base + 8, true),
    expires: view.getFloat64(base + 16, true),
  }
}

/** The bytes of the value: not by `subarray`, since LMDB changes the length of its buffer. */
export const payloadOf = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset + FACTS_BYTES, bytes.length - FACTS_BYTES)

/** The bytes of a record. */
export function recordOf({ id, order, expires }: Facts, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafeSlow(FACTS_BYTES + value.length)
  bytes.writeDoubleLE(id, 0)
  bytes.writeDoubleLE(order, 8)
  bytes.writeDoubleLE(expires, 16)
  bytes.set(value, FACTS_BYTES)
  return bytes
}
