import { CrossmemError, thrownHere } from '../errors.js'
import { checkWait, offAbort, onAbort, throwIfAborted, type WaitOptions } from '../wait/index.js'
import { reach, type Target, targetName } from './dialling.js'
import type { Welcome } from './handshake.js'
import type { Link } from './link.js'
import { ROOT, type WireAnswer, type WireCall, type WireOutcome } from './protocol.js'
import { RpcSession } from './rpc.js'
import { rulesOfManagers, Transport } from './transport.js'
import { decode, encode } from './values.js'

/** That this process holds an object. Disposing of it lets go. */
export type Hold = Disposable

/** The objects that came with an answer. */
export class Arrivals {
  readonly connection: Connection
  readonly #holds: (readonly [id: number, hold: Hold])[]

  constructor(connection: Connection, ids: readonly number[], holds: readonly Hold[]) {
    this.connection = connection
    this.#holds = holds.map((hold, i) => [ids[i] as number, hold])
  }

  take(id: number): Hold | undefined {
    const at = this.#holds.findIndex(([held]) => held === id)
    return at < 0 ? undefined : this.#holds.splice(at, 1)[0]?.[1]
  }

  /** Lets go of what wasn't taken. */
  end(): void {
    for (const [, hold] of this.#holds.splice(0)) hold[Symbol.dispose]()
  }
}

/** Makes of a result what the caller gets. */
export type Read<T> = (result: unknown, arrivals: Arrivals) => T

interface Asked {
  call: WireCall
  read: Read<unknown>
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

/** What the manager lets its clients call. */
interface Door {
  call(message: Uint8Array): Promise<[Uint8Array, Hold[]]>
  wait(message: Uint8Array): Promise<[Uint8Array, Hold[]]>
}

/** Calls that go together have no more bytes than this, or a single one of them has. */
const TOGETHER = 2 ** 20
const MOST_TOGETHER = 1000

/** A connection to a manager. */
export class Connection {
  readonly target: Target
  readonly welcome: Welcome
  /** Resolves when it is broken. */
  readonly closed: Promise<void>
  readonly #link: Link
  readonly #door: Door
  #broken: CrossmemError | undefined
  #asked: Asked[] = []
  #askedBytes = 0
  #pending = 0
  #lastToken = 0

  private constructor(target: Target, link: Link, welcome: Welcome) {
    this.target = target
    this.welcome = welcome
    this.#link = link
    this.closed = link.closed.then(why => {
      this.#broken ??= new CrossmemError(
        'ERR_PEER_DIED',
        `the connection to the manager ${this.name} broke: ${why}; whether pending calls were carried out is not known`,
      )
    })
    const session = new RpcSession(new Transport(link, rulesOfManagers), undefined, {
      limits: { maxDepth: 16 },
    })
    this.#door = session.getRemoteMain() as Door
    link.keep(false)
  }

  /** @throws {CrossmemError} as `reach` */
  static async open(target: Target): Promise<Connection> {
    const { link, welcome } = await reach(target)
    return new Connection(target, link, welcome)
  }

  /** The manager, as references name it. */
  get name(): string {
    return targetName(this.target)
  }

  get isRemote(): boolean {
    return this.#link.isRemote
  }

  get isBroken(): boolean {
    return this.#broken !== undefined
  }

  /** Calls a method that answers at once. Calls of one turn of the event loop go together. */
  call<T>(object: number, method: string, args: readonly unknown[], read: Read<T>): Promise<T> {
    if (this.#broken) return this.#refuse()
    const bytes = this.#measure(args)
    return new Promise<T>((resolve, reject) => {
      if (this.#asked.length > 0 && this.#askedBytes + bytes > TOGETHER) this.#flush()
      this.#askedBytes += bytes
      const count = this.#asked.push({ call: [object, method, ...args], read, resolve, reject })
      this.#keep(1)
      if (count === 1) process.nextTick(() => this.#flush())
      else if (count >= MOST_TOGETHER) this.#flush()
    })
  }

  /**
   * Calls a method that waits. It gets the number of the wait and the timeout behind its arguments.
   *
   * @param undo what is done with a result that comes after the wait was aborted
   * @param isHeld the wait ends only with an answer, also when it is aborted
   */
  async wait<T>(
    object: number,
    method: string,
    args: readonly unknown[],
    read: Read<T>,
    options?: WaitOptions,
    undo?: (result: T) => void,
    isHeld = false,
  ): Promise<T> {
    const { timeout, signal, unref } = checkWait(options)
    throwIfAborted(signal)
    if (this.#broken) return this.#refuse()
    this.#measure(args)
    this.#flush()
    const token = ++this.#lastToken
    const call: WireCall = [object, method, ...args, token, timeout]
    if (!unref) this.#keep(1)
    const answer = this.#door.wait(encode([call])).then(
      ([bytes, holds]) => this.#outcomes(bytes, holds, [read])[0]?.() as T,
      error => {
        throw this.#failure(error)
      },
    )
    let abort: (() => void) | undefined
    try {
      if (!signal) return await answer
      let isAborted = false
      const aborted = new Promise<never>((_, reject) => {
        abort = () => {
          isAborted = true
          this.call(ROOT, 'cancel', [token], () => undefined).catch(() => undefined)
          if (!isHeld) reject(signal.reason)
        }
        onAbort(signal, abort)
      })
      answer.then(
        result => isAborted && !isHeld && undo?.(result),
        () => undefined,
      )
      const result = await Promise.race([answer, aborted])
      if (isHeld) throwIfAborted(signal)
      return result
    } catch (error) {
      throw thrownHere(error)
    } finally {
      if (signal && abort) offAbort(signal, abort)
      if (!unref) this.#keep(-1)
    }
  }

  /** Ends the connection: what it holds is given back. */
  close(): void {
    if (this.#broken) return
    this.#flush()
    this.#broken = new CrossmemError('ERR_CLOSED', `the connection to the manager ${this.name} was closed`)
    this.#link.end()
  }

  #flush(): void {
    const asked = this.#asked
    this.#asked = []
    this.#askedBytes = 0
    if (asked.length === 0) return
    const message = encode(asked.map(({ call }) => call))
    this.#door.call(message).then(
      ([bytes, holds]) => {
        const reads = this.#outcomes(
          bytes,
          holds,
          asked.map(({ read }) => read),
        )
        for (const [i, { resolve, reject }] of asked.entries()) {
          try {
            resolve(reads[i]?.() as never)
          } catch (error) {
            reject(error)
          }
        }
        this.#keep(-asked.length)
      },
      error => {
        for (const { reject } of asked) reject(this.#failure(error))
        this.#keep(-asked.length)
      },
    )
  }

  /** What came of calls, each as a function that returns it or throws. */
  #outcomes(bytes: Uint8Array, holds: readonly Hold[], reads: readonly Read<unknown>[]): (() => unknown)[] {
    const [outcomes, ids] = decode(bytes) as WireAnswer
    const arrivals = new Arrivals(this, ids, holds)
    const made = outcomes.map((outcome, i) => readOutcome(outcome, reads[i] as Read<unknown>, arrivals))
    arrivals.end()
    return made
  }

  #failure(error: unknown): unknown {
    return (
      this.#broken ??
      new CrossmemError(
        'ERR_PEER_DIED',
        `the connection to the manager ${this.name} broke: ${(error as Error).message}`,
      )
    )
  }

  /** A call on a connection that is broken. */
  async #refuse(): Promise<never> {
    const error = this.#broken as CrossmemError
    if (error.code === 'ERR_PEER_DIED' && (await this.#isThere())) {
      throw new CrossmemError(
        'ERR_LOST',
        `the connection to the manager ${this.name} broke, and with it what was held here; the manager is there again: make the object anew, or get it by the name it was published as`,
      )
    }
    throw thrownHere(error)
  }

  async #isThere(): Promise<boolean> {
    try {
      const { link } = await reach(this.target)
      link.destroy()
      return true
    } catch {
      return false
    }
  }

  /** @throws {CrossmemError} ERR_TOO_LARGE */
  #measure(args: readonly unknown[]): number {
    let bytes = 100
    for (const arg of args) bytes += sizeOf(arg)
    const most = this.welcome.limits.maxMessageBytes
    if (bytes <= most) return bytes
    throw new CrossmemError(
      'ERR_TOO_LARGE',
      `a call of about ${bytes} bytes is longer than ${most}, the manager's limit "maxMessageBytes"`,
    )
  }

  #keep(count: number): void {
    const before = this.#pending
    this.#pending += count
    if (before > 0 !== this.#pending > 0) this.#link.keep(this.#pending > 0)
  }
}

/** About how many bytes an argument takes. */
function sizeOf(arg: unknown): number {
  if (ArrayBuffer.isView(arg)) return arg.byteLength + 8
  if (Array.isArray(arg)) return arg.reduce<number>((sum, item) => sum + sizeOf(item), 8)
  return typeof arg === 'string' ? 3 * arg.length : 10
}

function readOutcome([failed, result]: WireOutcome, read: Read<unknown>, arrivals: Arrivals): () => unknown {
  try {
    if (failed === 1) throw decode(result)
    const value = read(result, arrivals)
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

/** Connections that references open, and those that `Manager` made, by the manager. */
const connections = new Map<string, Promise<Connection>>()

/** The connection to a manager that all references to its objects use. */
export function connectionTo(target: Target): Promise<Connection> {
  const name = targetName(target)
  const known = connections.get(name)
  if (known) return known
  const opening = Connection.open(target)
  const forget = (): void => {
    if (connections.get(name) === opening) connections.delete(name)
  }
  opening.then(({ closed }) => void closed.then(forget), forget)
  connections.set(name, opening)
  return opening
}

/** References to objects of that manager use this connection, unless they have one. */
export function shareConnection(connection: Connection): void {
  const { name } = connection
  if (connections.has(name)) return
  const shared = Promise.resolve(connection)
  connections.set(name, shared)
  void connection.closed.then(() => {
    if (connections.get(name) === shared) connections.delete(name)
  })
}

/** As `connectionTo`, if this process has such a connection. */
export const connectionIfAny = (name: string): Promise<Connection> | undefined => connections.get(name)
