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

/** A view of a part of the object's segment. */
export const view = ({ segment }: SharedObject, offset: number, length: number): Uint8Array =>
  new Uint8Array(segment.buffer, offset, length)
