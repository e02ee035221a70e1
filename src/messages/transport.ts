import { CrossmemError } from '../errors.js'
import type { SharedObject } from '../objects/index.js'
import type { FastConsumer, FastProducer } from './fast-ring.js'

/**
 * The way of messages into a queue or channel. Its calls return a count, a length, or one of
 * `transfers`.
 */
export interface Sink {
  readonly object: SharedObject
  /** The channel of waits for room. */
  readonly channel: number
  /** The most bytes of a message that can go over the pad. */
  readonly most: number
  /** Puts messages in without a call, where that is possible. */
  readonly fast?: FastProducer
  /** Puts in the first `length` bytes of the pad. */
  put(length: number, mode: number): number
  /** Puts in the first `count` messages of the pad. Returns how many were put. */
  putMany(count: number): number
  /** Puts in a message that is too large for the pad. */
  putLarge(message: Uint8Array, mode: number): number
}

/** The way of messages out of a queue or channel. */
export interface Source {
  readonly object: SharedObject
  /** The channel of waits for a message. */
  readonly channel: number
  /** Takes messages out without a call, where that is possible. */
  readonly fast?: FastConsumer
  /** Takes a message onto the pad. Returns its length. */
  take(mode: number): number
  /** Takes messages onto the pad. Returns how many. */
  takeMany(most: number): number
  /** Copies and frees a message that `take` left in the segment. */
  takeElsewhere(): Uint8Array
}

/** Copies bytes out of the object's segment; by a call where the runtime can't show them. */
export function copyOut({ segment }: SharedObject, offset: number, to: Uint8Array): void {
  const buffer = segment.bufferIfAny
  if (buffer) to.set(new Uint8Array(buffer, offset, to.length))
  else segment.read(offset, to)
}

/** Copies bytes into the object's segment, likewise. */
export function copyIn({ segment }: SharedObject, offset: number, from: Uint8Array): void {
  const buffer = segment.bufferIfAny
  if (buffer) new Uint8Array(buffer, offset, from.length).set(from)
  else segment.write(offset, from)
}

/** Memory that the caller overwrites whole: it isn't filled with zeros first. */
export function allocate(length: number, name: string): Uint8Array {
  try {
    const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length)
    return new Uint8Array(buffer, byteOffset, length)
  } catch (cause) {
    throw new CrossmemError('ERR_CORRUPT', `"${name}" says that a message has ${length} bytes`, { cause })
  }
}
