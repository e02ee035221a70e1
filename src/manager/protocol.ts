// What both ends of a connection must agree on.

/** The version of crossmem's own part of the protocol. It grows with each change to it. */
export const PROTOCOL = 1

/** The version of `capnweb` that package.json pins: a test compares the two. */
export const RPC = '0.12.0'

/** The number by which a client calls the manager itself. Objects have numbers from 1 up. */
export const ROOT = 0

/** How a value travels: its bytes, and what of the manager and of crossmem is in it. */
export type Wire = Uint8Array | [bytes: Uint8Array, objects: number[], handles: WireHandle[]]

/** A handle of crossmem, as a value has it. */
export interface WireHandle {
  crossmem: string
  name: string
}

/** A call: the number of an object, one of its methods, and the arguments. */
export type WireCall = [object: number, method: string, ...args: unknown[]]

/** What came of a call: a result, or an error's bytes. */
export type WireOutcome = [failed: 0, result: unknown] | [failed: 1, error: Uint8Array]

/**
 * The answer to calls: what came of each, and the numbers of the objects that are held from now
 * on.
 */
export type WireAnswer = [outcomes: WireOutcome[], held: number[]]

/** An object that a call returned by reference. */
export type WireObject = [id: number, kind: string]

/** What a manager allows a client, and all of them together. */
export interface Limits {
  /** How many clients may be connected. Default: 1000. */
  maxClients: number
  /** How many objects one client may hold, and how many it may have made. Default: 100000. */
  maxObjects: number
  /** How many calls of one client may be unanswered. Default: 10000. */
  maxCalls: number
  /** How long a message may be, in bytes. Default: 64 MiB. */
  maxMessageBytes: number
}

export const DEFAULT_LIMITS: Limits = {
  maxClients: 1000,
  maxObjects: 100_000,
  maxCalls: 10_000,
  maxMessageBytes: 64 * 2 ** 20,
}
