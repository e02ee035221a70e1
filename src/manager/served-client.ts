import { CrossmemError } from '../errors.js'
import { isThenable } from '../util/index.js'
import type { Link } from './link.js'
import type { ObjectStore } from './object-store.js'
import { type Limits, ROOT, type WireAnswer, type WireCall, type WireOutcome } from './protocol.js'
import { RpcSession, RpcTarget } from './rpc.js'
import { Call, type Client, type Method, type Owned, type Stored } from './stored.js'
import { RulesOfClients, Transport } from './transport.js'
import { decode, encode, encodeError, refused } from './values.js'
import { cancelled, Waiter } from './waiter.js'

/** What the manager itself does for a client. */
export type RootMethods = Readonly<Record<string, Method<ServedClient>>>

/** What a server gives its clients. */
export interface Serving {
  readonly store: ObjectStore
  readonly limits: Limits
  readonly root: RootMethods
}

/** A client, as its manager sees it. */
export class ServedClient implements Client {
  readonly pid: number
  readonly isRemote: boolean
  readonly store: ObjectStore
  readonly limits: Limits
  readonly owned = new Set<Owned>()
  /** How many calls it has made. */
  calls = 0
  isGone = false
  readonly #root: RootMethods
  readonly #link: Link
  /** What it holds, and how many times. */
  readonly #held = new Map<number, { stored: Stored; count: number }>()
  readonly #waiters = new Map<unknown, Waiter<Call>>()
  /** Calls that are not answered. */
  #pending = 0

  constructor(link: Link, pid: number, { store, limits, root }: Serving) {
    this.pid = pid
    this.isRemote = link.isRemote
    this.store = store
    this.limits = limits
    this.#root = root
    this.#link = link
    // Well above what the limits allow, and what a client that releases results has.
    const { maxCalls, maxMessageBytes } = limits
    const transport = new Transport(
      link,
      new RulesOfClients(2 * maxCalls + 100, 4 * maxMessageBytes + 2 ** 25),
    )
    new RpcSession(transport, new Door(this), { limits: { maxDepth: 16 } })
  }

  get objects(): number {
    return this.#held.size
  }

  /** Answers to calls. Those that wait are refused: `wait` is for them. */
  call(message: Uint8Array): [Uint8Array, Hold[]] {
    const call = new Call(this)
    const outcomes: WireOutcome[] = callsIn(message).map(one => {
      const outcome = this.#begin(call, one)
      if (!isThenable(outcome)) return outcome
      outcome.catch(() => undefined)
      return [1, encodeError(refused('this method waits'))]
    })
    return this.#answer(call, outcomes)
  }

  /** Answers to a call that may wait. */
  async wait(message: Uint8Array): Promise<[Uint8Array, Hold[]]> {
    const call = new Call(this)
    const [one] = callsIn(message)
    if (!one) throw refused('a call is missing')
    if (this.#pending >= this.limits.maxCalls) {
      return this.#answer(call, [[1, encodeError(this.#tooMany('maxCalls', 'calls are unanswered'))]])
    }
    this.#pending++
    try {
      return this.#answer(call, [await this.#begin(call, one)])
    } finally {
      this.#pending--
    }
  }

  /** The call waits. A token is the client's number for it. */
  waiter(call: Call, token: unknown, timeout: number, giveUp: () => void): Waiter<Call> {
    if (this.isGone) throw new CrossmemError('ERR_PEER_DIED', 'the client is gone')
    const key = token ?? Symbol('wait')
    const waiter = new Waiter(call, timeout, giveUp, () => void this.#waiters.delete(key))
    this.#waiters.set(key, waiter)
    return waiter
  }

  cancel(token: unknown): void {
    this.#waiters.get(token)?.fail(cancelled())
  }

  /** An object that this client made, or that was made for it. */
  adopt<T extends Stored>(stored: T): T {
    return this.store.add(stored)
  }

  /** @throws {CrossmemError} ERR_LOST: the client doesn't hold it */
  heldObject(id: unknown): Stored {
    const held = this.#held.get(id as number)
    if (held) return held.stored
    throw new CrossmemError('ERR_LOST', 'this object was closed, or is of another connection')
  }

  hold(stored: Stored): Hold {
    const held = this.#held.get(stored.id)
    if (held) held.count++
    else this.#held.set(stored.id, { stored, count: 1 })
    this.store.hold(stored)
    return new Hold(() => this.#letGo(stored))
  }

  /** The connection broke. */
  end(): void {
    if (this.isGone) return
    this.isGone = true
    for (const waiter of [...this.#waiters.values()]) {
      waiter.fail(new CrossmemError('ERR_PEER_DIED', 'the client is gone'))
    }
    for (const owned of [...this.owned]) owned.abandon(this)
    for (const { stored, count } of [...this.#held.values()]) {
      for (let i = 0; i < count; i++) this.store.letGo(stored)
    }
    this.#held.clear()
  }

  disconnect(): void {
    this.#link.end()
  }

  #letGo(stored: Stored): void {
    const held = this.#held.get(stored.id)
    if (!held) return
    if (--held.count === 0) this.#held.delete(stored.id)
    this.store.letGo(stored)
  }

  #begin(call: Call, [object, method, ...args]: WireCall): WireOutcome | Promise<WireOutcome> {
    this.calls++
    try {
      const result =
        object === ROOT
          ? this.#invokeRoot(call, method, args)
          : this.heldObject(object).invoke(call, method, args)
      if (!isThenable(result)) return [0, result]
      return Promise.resolve(result).then(
        value => [0, value],
        error => [1, encodeError(error)],
      )
    } catch (error) {
      return [1, encodeError(error)]
    }
  }

  #invokeRoot(call: Call, method: string, args: readonly unknown[]): unknown {
    if (!Object.hasOwn(this.#root, method)) throw refused(`a manager has no method ${JSON.stringify(method)}`)
    return this.#root[method]?.(this, call, ...args)
  }

  #answer(call: Call, outcomes: WireOutcome[]): [Uint8Array, Hold[]] {
    if (call.held.length > 0 && this.#held.size + call.held.length > this.limits.maxObjects) {
      const error = encodeError(this.#tooMany('maxObjects', 'objects are held'))
      return [encode([outcomes.map(() => [1, error]), []] satisfies WireAnswer), []]
    }
    const answer: WireAnswer = [outcomes, call.held.map(({ id }) => id)]
    return [encode(answer), this.isGone ? [] : call.held.map(stored => this.hold(stored))]
  }

  #tooMany(limit: 'maxCalls' | 'maxObjects', what: string): CrossmemError {
    return new CrossmemError(
      'ERR_LIMIT',
      `${this.limits[limit]} ${what} by this client, which is the manager's limit "${limit}"`,
    )
  }
}

/** What capnweb lets a client call. */
class Door extends RpcTarget {
  readonly #client: ServedClient

  constructor(client: ServedClient) {
    super()
    this.#client = client
  }

  call(message: Uint8Array): [Uint8Array, Hold[]] {
    return this.#client.call(message)
  }

  wait(message: Uint8Array): Promise<[Uint8Array, Hold[]]> {
    return this.#client.wait(message)
  }

  [Symbol.dispose](): void {
    this.#client.end()
  }
}

/** That a client holds an object: capnweb disposes of it when the client does, or is gone. */
export class Hold extends RpcTarget {
  readonly #letGo: () => void

  constructor(letGo: () => void) {
    super()
    this.#letGo = letGo
  }

  [Symbol.dispose](): void {
    this.#letGo()
  }
}

/** @throws {CrossmemError} ERR_INVALID_ARG, ERR_CORRUPT */
function callsIn(message: Uint8Array): WireCall[] {
  const list = decode(message)
  if (!Array.isArray(list) || !list.every(isCall)) throw refused('this is no list of calls')
  return list
}

const isCall = (value: unknown): value is WireCall =>
  Array.isArray(value) && typeof value[0] === 'number' && typeof value[1] === 'string'
