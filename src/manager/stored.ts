import { CrossmemError } from '../errors.js'
import { type AnyHandle, open } from '../open.js'
import { isUint8Array } from '../util/index.js'
import type { Limits, Wire, WireHandle, WireObject } from './protocol.js'
import { refused } from './values.js'
import type { Waiter } from './waiter.js'

/** What goes back when a client is gone: its locks, its permits, its tasks. */
export interface Owned {
  abandon(client: Client): void
}

/** A client, as objects see it. */
export interface Client {
  /** Whether it may be on another machine. */
  readonly isRemote: boolean
  readonly isGone: boolean
  readonly limits: Limits
  readonly owned: Set<Owned>
  readonly store: { byReference(value: unknown): Stored | undefined }
  /** @throws {CrossmemError} ERR_LOST: the client doesn't hold it */
  heldObject(id: unknown): Stored
  /** An object that is made for this client. */
  adopt<T extends Stored>(stored: T): T
  /** The call waits. A token is the client's number for it, by which it can cancel it. */
  waiter(call: Call, token: unknown, timeout: number, giveUp: () => void): Waiter<Call>
}

/** A call of a client, while it is carried out. */
export class Call {
  readonly client: Client
  /** Objects that the client holds from the answer on. */
  readonly held: Stored[] = []

  constructor(client: Client) {
    this.client = client
  }

  /** An object as the answer has it. The client holds it from then on. */
  object(stored: Stored): WireObject {
    this.held.push(stored)
    return [stored.id, stored.kind]
  }

  /** A value as the answer has it. The client holds the objects in it from then on. */
  value(cell: Cell | undefined): Wire | undefined {
    if (!cell) return undefined
    if (cell.objects.length === 0 && cell.handles.length === 0) return cell.bytes
    if (cell.handles.length > 0 && this.client.isRemote) {
      throw new CrossmemError(
        'ERR_UNSUPPORTED',
        `the value has a handle of crossmem in it (${cell.handles[0]?.crossmem}), which only processes of the manager's machine can use`,
      )
    }
    this.held.push(...cell.objects)
    return [cell.bytes, cell.objects.map(({ id }) => id), []]
  }

  values(cells: Iterable<Cell>): (Wire | undefined)[] {
    return Array.from(cells, cell => this.value(cell))
  }

  /**
   * A value that a client sent.
   *
   * @throws {CrossmemError} ERR_LOST: an object in it isn't the client's. ERR_INVALID_ARG: it is
   *   none
   */
  cell(wire: unknown): Cell {
    if (isUint8Array(wire)) return new Cell(wire, NO_OBJECTS, NO_HANDLES)
    const [bytes, ids, references] = Array.isArray(wire) ? (wire as unknown[]) : []
    if (!isUint8Array(bytes) || !Array.isArray(ids) || !Array.isArray(references)) {
      throw refused('a value is its bytes')
    }
    const objects = ids.map(id => this.client.heldObject(id))
    return new Cell(bytes, objects, this.#open(references))
  }

  #open(references: unknown[]): AnyHandle[] {
    if (references.length > 0 && this.client.isRemote) {
      throw refused('handles of crossmem are for processes of one machine')
    }
    const opened: AnyHandle[] = []
    try {
      for (const reference of references) opened.push(open(reference as WireHandle))
      return opened
    } catch (error) {
      for (const handle of opened) handle.close()
      throw error
    }
  }
}

const NO_OBJECTS: readonly Stored[] = Object.freeze([])
const NO_HANDLES: readonly AnyHandle[] = Object.freeze([])

let versions = 0

/** Handles of crossmem in values that nothing shows any more are closed. */
const handlesOfCells = new FinalizationRegistry<readonly AnyHandle[]>(handles => {
  for (const handle of handles) handle.close()
})

/**
 * A value that the manager keeps: its bytes, as a client encoded them. What is in it lives as long
 * as it does.
 */
export class Cell {
  readonly bytes: Uint8Array
  readonly objects: readonly Stored[]
  readonly handles: readonly AnyHandle[]
  /** No other value has this number. */
  readonly version = ++versions

  constructor(bytes: Uint8Array, objects: readonly Stored[] = NO_OBJECTS, handles = NO_HANDLES) {
    this.bytes = bytes
    this.objects = objects
    this.handles = handles
    if (handles.length > 0) handlesOfCells.register(this, handles)
  }

  /** Equal values of equal types, with properties in the same order, have the same key. */
  get key(): string {
    return keyOf(this.bytes)
  }
}

export const keyOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

/** What a method of an object does. A promise: the call waits. */
export type Method<Of> = (stored: Of, call: Call, ...args: unknown[]) => unknown

/** The methods that clients may call, and no others. */
export type Methods<Of> = Readonly<Record<string, Method<Of>>>

/** An object of the manager. */
export abstract class Stored {
  /** Its number, from 1 up. */
  id = 0
  /** Which class of proxies is for it. */
  abstract readonly kind: string
  abstract readonly methods: Methods<never>

  /** The objects in it. */
  abstract children(): Iterable<Stored>

  /** No client holds it any more. Another object may have it, so that a client gets it again. */
  end(): void {}

  /** What `crossmem inspect` shows. */
  state(): object {
    return {}
  }

  /**
   * Carries out a call.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it has no such method
   */
  invoke(call: Call, method: string, args: readonly unknown[]): unknown {
    if (!Object.hasOwn(this.methods, method))
      throw refused(`a ${this.kind} has no method ${JSON.stringify(method)}`)
    return (this.methods as Methods<this>)[method]?.(this, call, ...args)
  }
}

/** @throws {CrossmemError} ERR_INVALID_ARG: it is no whole number within the limits */
export function integer(
  value: unknown,
  least = -Number.MAX_SAFE_INTEGER,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
    return value
  throw refused(`a whole number from ${least} to ${most} is needed, not ${String(value)}`)
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw refused('a text is needed')
}

/** Milliseconds; `undefined` and Infinity: no limit. */
export function timeoutOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : Number.POSITIVE_INFINITY
}
