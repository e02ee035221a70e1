import { readFileSync } from 'node:fs'
import type { Reference } from 'crossmem'
import type { Account } from './children.js'
import { type Hired, hire, type Pending, type Place } from './hire.js'
import { pack, unpack } from './wire.js'

/** What a peer is told. */
export interface PeerOrders {
  /**
   * Calls a method of something that it keeps, or reads a property. An argument `{ kept }` stands
   * for such a thing.
   */
  call(order: { on: string; call: string; args: unknown[] }): Reply
  /** The folder in /proc of the thread that carries out the orders. */
  thread(): string
}

/** A value, or the name of a thing that the peer keeps from now on. */
type Reply = { answer: unknown } | { kept: string; ownerDied?: boolean }

/** Something in another process or on another thread. */
export class Distant {
  readonly #peer: Peer
  readonly kept: string
  /** Of a guard. */
  readonly ownerDied: boolean | undefined

  constructor(peer: Peer, kept: string, ownerDied?: boolean) {
    this.#peer = peer
    this.kept = kept
    this.ownerDied = ownerDied
  }

  /**
   * Calls a method there, or reads a property. Resolves with the result, or with another distant
   * thing.
   */
  async do<T = unknown>(call: string, ...args: unknown[]): Promise<T> {
    return this.#peer.begin(this.kept, call, args).result as Promise<T>
  }

  /**
   * As `do`, for what waits: resolves as soon as it waits; a synchronous wait, as soon as it
   * sleeps.
   */
  async begin<T = unknown>(call: string, ...args: unknown[]): Promise<{ result: Promise<T> }> {
    const { waits, result } = this.#peer.begin(this.kept, call, args)
    await Promise.race([waits, result])
    if (call.endsWith('Sync')) await this.#peer.asleep(result)
    return { result: result as Promise<T> }
  }

  /** Takes a lock there. */
  take(call: string, ...args: unknown[]): Promise<Distant> {
    return this.do<Distant>(call, ...args)
  }

  toJSON(): { kept: string } {
    return { kept: this.kept }
  }
}

/** Another process or thread on which a test calls the methods of shared objects. */
export class Peer {
  readonly hired: Hired<PeerOrders>
  readonly #thread: string

  constructor(hired: Hired<PeerOrders>, thread: string) {
    this.hired = hired
    this.#thread = thread
  }

  /** What `open` makes there of a reference or a name. */
  open(reference: Pick<Reference, 'crossmem' | 'name'> | string): Promise<Distant> {
    return this.it('crossmem').take('open', reference)
  }

  /**
   * One of the things that it knows from the beginning: `crossmem`, a class of it, `process` or
   * `deeds`.
   */
  it(name: string): Distant {
    return new Distant(this, name)
  }

  /** Kills it at once, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.hired.kill()
  }

  begin(on: string, call: string, args: unknown[]): Pending<unknown> {
    const { waits, result } = this.hired.begin({ do: 'call', on, call, args: pack(args) as unknown[] })
    const answer = result.then(reply =>
      'kept' in reply ? new Distant(this, reply.kept, reply.ownerDied) : unpack(reply.answer),
    )
    answer.catch(() => undefined)
    return { waits, result: answer }
  }

  /** Waits until it sleeps in a futex, or has the result. */
  async asleep(result: Promise<unknown>): Promise<void> {
    if (process.platform !== 'linux') return
    let isOver = false
    const over = () => {
      isOver = true
    }
    result.then(over, over)
    // 202 on x86-64, 98 on arm64.
    while (!isOver && !/^(202|98) /.test(readFileSync(`/proc/${this.#thread}/syscall`, 'utf8'))) {
      await new Promise(setImmediate)
    }
  }
}

/** Starts a peer, a process as that user if one is given; it is killed at the end of the test. */
export async function startPeer(
  t: { teardown(end: () => Promise<void>): void },
  place: Place,
  account?: Account,
): Promise<Peer> {
  const hired = await hire<PeerOrders>('processes/peer', { as: place, account })
  t.teardown(async () => void (await hired.kill()))
  return new Peer(hired, await hired.tell({ do: 'thread' }))
}
