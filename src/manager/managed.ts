import { CrossmemError } from '../errors.js'
import { MANAGED, type ManagedHandle, open, type Reference } from '../open.js'
import { replaceReferences } from '../process/index.js'
import { dispose, type InspectionArguments, inspection, showAs } from '../util/index.js'
import type { WaitOptions } from '../wait/index.js'
import {
  type Arrivals,
  type Connection,
  connectionIfAny,
  connectionTo,
  type Hold,
  type Read,
} from './connection.js'
import { ROOT, type Wire, type WireHandle, type WireObject } from './protocol.js'
import { decode, encode, freeze, mayHaveReferences, refused } from './values.js'

/** Which object of which manager a proxy stands for. */
interface Identity {
  /** The manager, as references name it. */
  manager: string
  instance: string
  id: number
  kind: string
}

/** The way of a proxy to its object. */
export class Anchor {
  readonly identity: Identity
  connection: Connection | undefined
  #hold: Hold | undefined
  #opening: Promise<Connection> | undefined
  isClosed = false

  constructor(identity: Identity, connection?: Connection, hold?: Hold) {
    this.identity = identity
    this.connection = connection
    this.#hold = hold
  }

  get name(): string {
    const { manager, instance, id, kind } = this.identity
    return [manager, instance, id, kind].join('#')
  }

  /** Connects, if that wasn't done yet. */
  ready(): Promise<Connection> {
    if (this.isClosed) throw new CrossmemError('ERR_CLOSED', `this ${this.identity.kind} was closed`)
    this.#opening ??= this.#open()
    // A failure is told by each call.
    this.#opening.catch(() => undefined)
    return this.#opening
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#hold?.[dispose]()
    this.#hold = undefined
  }

  async #open(): Promise<Connection> {
    const { manager, instance, id } = this.identity
    const isRemote = manager.includes(':')
    const connecting = isRemote ? connectionIfAny(manager) : connectionTo(manager)
    if (!connecting) {
      throw new CrossmemError(
        'ERR_PERMISSION',
        `connect to ${manager} with Manager.connect() first: its key doesn't travel with a reference`,
      )
    }
    const connection = await connecting
    if (connection.welcome.instance !== instance) throw lost(manager)
    const hold = await connection.call(ROOT, 'open', [id], (_, arrivals) => arrivals.take(id))
    if (this.isClosed) hold?.[dispose]()
    else this.#hold = hold
    this.connection = connection
    return connection
  }
}

const lost = (manager: string): CrossmemError =>
  new CrossmemError(
    'ERR_LOST',
    `the manager ${manager} was started anew, and its objects are lost; make them anew`,
  )

/** Proxies that are in the value that is being encoded. */
let collected: Managed[] | undefined

/** Objects whose proxies the program has dropped. */
const dropped = new FinalizationRegistry<Anchor>(anchor => anchor.close())

/**
 * A proxy of an object that a manager owns. It can be sent to other processes, in values and in
 * arguments of `Process.start`; `open()` makes a proxy of the reference that arrives.
 *
 * @example
 * ```js
 * import { open } from 'crossmem'
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const dict = await manager.dict({ a: 1 })
 * const same = open(JSON.parse(JSON.stringify(dict)))
 * console.log(await same.get('a')) // 1
 * await manager.close()
 * ```
 */
export abstract class Managed implements ManagedHandle {
  /** Marks references to objects of managers. */
  readonly crossmem = MANAGED
  /** Which object of which manager it is, for references. */
  readonly name: string
  readonly #anchor: Anchor

  /** @internal */
  constructor(anchor: Anchor) {
    this.#anchor = anchor
    this.name = anchor.name
    dropped.register(this, anchor, this)
  }

  /**
   * Lets go of the object. It lives on while another process holds it, an object has it in it, or a
   * name leads to it. Calling it again does nothing.
   */
  close(): void {
    dropped.unregister(this)
    this.#anchor.close()
  }

  /** Lets go of the object at the end of a `using` block. */
  [dispose](): void {
    this.close()
  }

  /**
   * The reference that `open()` takes. The object lives on for the manager's `transit` time, a
   * minute by default, whatever becomes of this proxy.
   */
  toJSON(): { crossmem: 'Managed'; name: string } {
    if (collected) collected.push(this)
    else void this.#send()
    return { crossmem: this.crossmem, name: this.name }
  }

  /** Shows which object it is in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    const { manager, id } = this.#anchor.identity
    return showAs(
      `${this.constructor.name}${this.#anchor.isClosed ? ' (closed)' : ''}`,
      { manager, id },
      ...how,
    )
  }

  /** @internal */
  get anchor(): Anchor {
    return this.#anchor
  }

  /** Calls a method with values and plain arguments. @internal */
  protected async ask<T>(
    method: string,
    args: (connection: Connection) => unknown[],
    read: Read<T>,
  ): Promise<T> {
    const connection = this.#connection ?? (await this.#anchor.ready())
    return connection.call(this.#anchor.identity.id, method, args(connection), read)
  }

  /** Calls a method that waits. @internal */
  protected async askAndWait<T>(
    method: string,
    args: (connection: Connection) => unknown[],
    read: Read<T>,
    options?: WaitOptions,
    undo?: (result: T) => void,
    isHeld?: boolean,
  ): Promise<T> {
    const connection = this.#connection ?? (await this.#anchor.ready())
    return connection.wait(this.#anchor.identity.id, method, args(connection), read, options, undo, isHeld)
  }

  get #connection(): Connection | undefined {
    return this.#anchor.isClosed ? undefined : this.#anchor.connection
  }

  /** A reference leaves this process. */
  async #send(): Promise<void> {
    try {
      const connection = this.#connection ?? (await this.#anchor.ready())
      await connection.call(ROOT, 'send', [this.#anchor.identity.id], () => undefined)
    } catch {
      // The receiver is told.
    }
  }
}

/** Encodes a value for a manager. */
export function toWire(connection: Connection, value: unknown, what?: string): Wire {
  const outer = collected
  collected = []
  let bytes: Uint8Array
  let proxies: Managed[]
  try {
    bytes = encode(value, what)
    proxies = collected
  } finally {
    collected = outer
  }
  if (!mayHaveReferences(bytes)) return bytes
  const handles = handlesIn(bytes)
  if (proxies.length === 0 && handles.length === 0) return bytes
  if (handles.length > 0 && connection.isRemote) {
    throw refused(
      `a ${handles[0]?.crossmem} is in shared memory of this machine, so it can't be sent to ${connection.name}; send its contents`,
    )
  }
  const ids = [...new Set(proxies)].map(({ anchor }) => {
    if (anchor.connection === connection && !anchor.isClosed) return anchor.identity.id
    throw refused(
      anchor.connection?.name === connection.name
        ? 'an object in the value was closed, or is of another connection to the manager'
        : 'an object in the value is of another manager: publish it there, and send the name',
    )
  })
  return [bytes, ids, handles]
}

/** The handles of crossmem in a value's bytes, those of managers apart. */
function handlesIn(bytes: Uint8Array): WireHandle[] {
  const found: WireHandle[] = []
  replaceReferences(decode(bytes), reference => {
    if (reference.crossmem !== MANAGED) found.push(reference)
    return reference
  })
  return found
}

/** A value that a manager sent, frozen; `undefined` if there is none. */
export function fromWire(wire: unknown, arrivals: Arrivals): unknown {
  if (wire === undefined) return undefined
  const bytes = (Array.isArray(wire) ? wire[0] : wire) as Uint8Array
  const value = decode(bytes)
  if (!mayHaveReferences(bytes)) return freeze(value)
  // One proxy for each object, however often it is in the value.
  const known = new Map<string, unknown>()
  const opened = replaceReferences(value, reference => {
    const handle = known.get(reference.name) ?? arrived(reference, arrivals)
    known.set(reference.name, handle)
    return handle
  })
  return freeze(opened)
}

/** Several values. */
export const listFromWire = (wires: unknown, arrivals: Arrivals): unknown[] =>
  (wires as unknown[]).map(wire => fromWire(wire, arrivals))

export const plain = <T>(result: unknown): T => result as T
export const nothing = (): void => undefined

/** The proxy of an object that a call returned by reference. */
export function proxyOf([id, kind]: WireObject, arrivals: Arrivals): Managed {
  const { connection } = arrivals
  const identity = { manager: connection.name, instance: connection.welcome.instance, id, kind }
  return makeProxy(new Anchor(identity, connection, arrivals.take(id)))
}

function arrived(reference: Reference, arrivals: Arrivals): unknown {
  if (reference.crossmem !== MANAGED) return open(reference)
  const identity = parse(reference.name)
  const hold = arrivals.take(identity.id)
  return hold ? makeProxy(new Anchor(identity, arrivals.connection, hold)) : makeProxy(new Anchor(identity))
}

/** The proxy that a reference stands for. It connects when it is first used. */
export const openManaged = (name: string): Managed => makeProxy(new Anchor(parse(name)))

function parse(name: string): Identity {
  const [manager = '', instance = '', id = '', kind = '', ...more] = name.split('#')
  const isSound =
    /^(wss?:\/\/[^#\s]+|[A-Za-z0-9][\w.-]{0,47})$/.test(manager) &&
    /^[0-9a-f]{16}$/.test(instance) &&
    /^[1-9]\d{0,14}$/.test(id) &&
    more.length === 0
  if (isSound) return { manager, instance, id: Number(id), kind }
  throw refused(`${JSON.stringify(name.slice(0, 150))} is no reference to an object of a manager`)
}

type ProxyClass = new (anchor: Anchor) => Managed

const classes = new Map<string, ProxyClass>()

/** Says which class is for objects of a kind. */
export function defineProxy(kind: string, Class: ProxyClass): void {
  classes.set(kind, Class)
}

function makeProxy(anchor: Anchor): Managed {
  const Class = classes.get(anchor.identity.kind)
  if (Class) return new Class(anchor)
  throw new CrossmemError(
    'ERR_UNSUPPORTED',
    `this version of crossmem has no proxy for a ${anchor.identity.kind}`,
  )
}
