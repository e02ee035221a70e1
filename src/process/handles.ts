import { types } from 'node:util'
import {
  type BoundCodec,
  codecFor,
  decodeApart,
  encodeApart,
  type Locate,
  type Piece,
} from '../codecs/index.js'
import { CrossmemError } from '../errors.js'
import { type AnyHandle, isReference, MANAGED, openFrom, type Reference } from '../open.js'
import { isPlace, LARGE, loseMoved, openPlace, type Place, type Put, putApart, release } from './shares.js'

const codec: BoundCodec<unknown> = codecFor()

/** A packed value begins with the length of its message, in bytes. What lies apart follows it. */
const HEAD = 8

/** How a value travels. */
export interface PackOptions {
  /** Whether large arrays travel in shared memory. Default: true. */
  share?: boolean
  /** How an error message calls the value. Default: 'value'. */
  what?: string
}

/** A value on its way to another process. */
export interface Packed {
  bytes: Uint8Array
  /** What must stay until the receiver has unpacked it: objects in it, and its large arrays. */
  references: Reference[]
  /** Those of them that are objects in it. The others stay at least until `release()`. */
  objects: Reference[]
  /** The handles in it, whose references are in `objects`. */
  handles: ReadonlySet<object>
  /**
   * The receiver has unpacked it, or is dead: what this process holds for it is given back. Calling
   * it again does nothing. A value that no process will unpack needs it, too.
   */
  release(): void
}

/**
 * Encodes a value, puts its large arrays into shared memory, and finds what objects are in it. If
 * there is no shared memory, the arrays go with the bytes.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: a part of it can't be sent
 */
export function pack(value: unknown, { share = true, what }: PackOptions = {}): Packed {
  const { bytes, places, handles, giveBack } =
    (share ? packApart(value, what) : undefined) ?? packWhole(value, what)
  const arrays = places.map(([name]) => ({ crossmem: 'SharedMemory', name }))
  // A manager keeps its objects alive on their way itself.
  const objects = referencesIn(bytes).filter(({ crossmem }) => crossmem !== MANAGED)
  return { bytes, references: [...objects, ...arrays], objects, handles, release: giveBack }
}

interface Sent extends Put {
  bytes: Uint8Array
  handles: ReadonlySet<object>
}

/** With large arrays in shared memory; `undefined` if that can't be had. */
function packApart(value: unknown, what: string | undefined): Sent | undefined {
  const { bytes: message, pieces, memories, handles } = encodeApart(value, LARGE, what)
  const bytes = withHead(message)
  const put = tryToPut(pieces)
  if (!put) return undefined
  loseMoved(memories)
  return {
    ...put,
    handles,
    bytes: pieces.length === 0 ? bytes : Buffer.concat([bytes, codec.encode(put.places)]),
  }
}

function tryToPut(pieces: readonly Piece[]): Put | undefined {
  try {
    return putApart(pieces)
  } catch {
    // It is full, or the system's or the domain's limit is reached: copies do as well.
    return undefined
  }
}

/** With all arrays in the message. */
function packWhole(value: unknown, what: string | undefined): Sent {
  const { bytes: message, memories, handles } = encodeApart(value, Number.POSITIVE_INFINITY, what)
  const bytes = withHead(message)
  loseMoved(memories)
  return { bytes, handles, places: [], giveBack: () => undefined }
}

function withHead(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD + message.length)
  bytes.writeBigUInt64LE(BigInt(message.length))
  bytes.set(message, HEAD)
  return bytes
}

/** The two parts of a packed value: the message, and where its large arrays are. */
function split(packed: Uint8Array): { message: Buffer; places: Place[] } {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const end = bytes.length < HEAD ? Number.NaN : HEAD + Number(bytes.readBigUInt64LE())
  if (!(end <= bytes.length)) throw notPacked()
  const places = end === bytes.length ? [] : codec.decode(bytes.subarray(end))
  if (!Array.isArray(places) || !places.every(isPlace)) throw notPacked()
  return { message: bytes.subarray(HEAD, end), places }
}

const notPacked = (): CrossmemError =>
  new CrossmemError('ERR_CORRUPT', 'what another process sent is no value that pack() made')

/** Whether a message may have references in it: few have, and looking for this is fast. */
const mayHaveReferences = (message: Buffer): boolean => message.includes('crossmem')

function referencesIn(packed: Uint8Array): Reference[] {
  const { message } = split(packed)
  if (!mayHaveReferences(message)) return []
  const references = new Map<string, Reference>()
  replaceReferences(
    decodeApart(message, () => undefined),
    reference => {
      references.set(JSON.stringify(reference), reference)
      return reference
    },
  )
  return [...references.values()]
}

/**
 * Decodes a value, and opens the objects in it: one handle for each, however often it is there. If
 * one can't be opened, none stays open. Large arrays need no closing: they show shared memory,
 * which is given back when they have been collected.
 *
 * @param sender the instance of the agent that hands over ends of pipes
 * @throws {CrossmemError} as `open()`. ERR_PEER_DIED: the sender is gone, and its arrays with it
 */
export function unpack(bytes: Uint8Array, sender?: number): { value: unknown; handles: AnyHandle[] } {
  const { message, places } = split(bytes)
  const opened = new Map<string, AnyHandle>()
  const buffers: ArrayBuffer[] = []
  try {
    for (const place of places) buffers.push(openPlace(place))
    const decoded = decodeApart(message, locateIn(places, buffers))
    if (!mayHaveReferences(message)) return { value: decoded, handles: [] }
    const value = replaceReferences(decoded, reference => {
      const key = JSON.stringify(reference)
      const handle = opened.get(key) ?? openFrom(reference, sender)
      opened.set(key, handle)
      return handle
    })
    return { value, handles: [...opened.values()] }
  } catch (error) {
    for (const handle of opened.values()) handle.close()
    for (const buffer of buffers) release(buffer)
    throw error
  }
}

function locateIn(places: readonly Place[], buffers: readonly ArrayBuffer[]): Locate {
  return (number, at, length) => {
    const index = places.findIndex(
      ([, its, start, end]) => its === number && start <= at && at + length <= end,
    )
    const [, , start = 0] = places[index] ?? []
    const buffer = buffers[index]
    if (!buffer) throw new RangeError(`there is no memory ${number} with bytes at ${at}`)
    return { buffer, offset: at - start }
  }
}

/** Puts something else in the place of each reference in a decoded value, and returns the value. */
export function replaceReferences(value: unknown, replace: (reference: Reference) => unknown): unknown {
  const seen = new Set<object>()

  function replaced(part: unknown): unknown {
    if (typeof part !== 'object' || part === null || seen.has(part)) return part
    if (isReference(part)) return replace(part)
    seen.add(part)
    if (types.isMap(part)) {
      const entries = [...part]
      part.clear()
      for (const [key, item] of entries) part.set(replaced(key), replaced(item))
    } else if (types.isSet(part)) {
      const items = [...part]
      part.clear()
      for (const item of items) part.add(replaced(item))
    } else if (!ArrayBuffer.isView(part)) {
      for (const key of Reflect.ownKeys(part)) {
        const property = Object.getOwnPropertyDescriptor(part, key) as PropertyDescriptor
        const item = replaced(property.value)
        if (item !== property.value) Object.defineProperty(part, key, { ...property, value: item })
      }
    }
    return part
  }

  return replaced(value)
}
