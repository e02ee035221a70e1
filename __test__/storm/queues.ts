import { setTimeout as pause } from 'node:timers/promises'
import { open, type PipeReference, SpscQueue } from 'crossmem'
import type { Below } from '../helpers/random.js'
import { type Consume, consumeFrom } from './consumer.js'
import { packingOf } from './parcels.js'
import { FILLING, LAST, type Role, type Stream } from './streams.js'
import { Putting } from './ways.js'

/** Messages of one batch, at most. */
const BATCH = 8
/** Producers whose last message a consumer remembers. */
const REMEMBERED = 1000

/** An account of every message. */
export interface Accounts {
  /** Numbers for messages that are about to be put in; none while there is no room. */
  open(count: number): number[]
  wasPut(id: number): void
  /** Tells how often it was taken before. */
  wasTaken(id: number): number
}

/** A process or thread that lives in a storm of queues. */
export interface QueueLife {
  id: number
  isSurvivor: boolean
  roles: readonly Role[]
  /** The streams that it uses, by number. */
  uses: readonly { stream: Stream; number: number; name: string }[]
  /** It waits on its thread only, or never; or both. */
  isSync?: boolean
  books: string
  pipe?: PipeReference
}

/** A life that uses a queue beside others that are killed at any moment. */
export interface QueueUser {
  id: number
  /** It waits on its thread only, or never; or both. */
  isSync?: boolean
  stream: Stream
  /** Of the queue. */
  name: string
  accounts: Accounts
  below: Below
  /**
   * Notes how many messages may be in its hands: before it takes them, and when it is done with
   * them.
   */
  inHands(count: number): void
  report(what: string): void
  /** Hears that the last message came. */
  ended?(): void
}

/** One role at one queue. A turn says how many messages it completed. */
export interface QueueUse {
  readonly role: Role
  /** Opens the queue, if its role is free. A turn does so, too. */
  open(): void
  turn(): Promise<number>
  close(): void
}

type Opened = Disposable & { crossmem: string }

export class Producing implements QueueUse {
  readonly role = 'producer'
  readonly #user: QueueUser
  #putting?: Putting
  #object?: Opened

  constructor(user: QueueUser) {
    this.#user = user
  }

  async turn(): Promise<number> {
    const { id: producer, below, stream, accounts } = this.#user
    this.open()
    const ids = this.#putting ? accounts.open(1 + below(BATCH)) : []
    if (ids.length === 0) await pause(1)
    const { pack } = packingOf(stream.kind)
    const parcels = ids.map(id => {
      const filling = below(16) === 0 ? below(FILLING) : below(16)
      return pack({ producer, id, filling })
    })
    for (let done = 0; done < ids.length; ) {
      const count = (await this.#putting?.put(parcels.slice(done))) as number
      for (const id of ids.slice(done, done + count)) accounts.wasPut(id)
      done += count
    }
    return ids.length
  }

  close(): void {
    this.#object?.[Symbol.dispose]()
  }

  open(): void {
    this.#object ??= openAs(this.role, this.#user)
    if (this.#object) this.#putting ??= new Putting(this.#object, this.#user.below, this.#user.isSync)
  }
}

export class Consuming implements QueueUse {
  readonly role = 'consumer'
  readonly #user: QueueUser
  readonly #last = new Map<number, number>()
  #consume?: Consume
  #object?: Opened

  constructor(user: QueueUser) {
    this.#user = user
  }

  async turn(): Promise<number> {
    const { below, inHands } = this.#user
    this.open()
    if (!this.#consume) {
      await pause(1)
      return 0
    }
    const most = 1 + (below(4) === 0 ? below(BATCH) : 0)
    let taken = 0
    inHands(most)
    await this.#consume(most, (packed, isMarked) => {
      taken += this.#note(packed, isMarked)
    })
    inHands(0)
    return taken
  }

  close(): void {
    this.#object?.[Symbol.dispose]()
  }

  open(): void {
    const { stream, below, isSync } = this.#user
    this.#object ??= openAs(this.role, this.#user)
    if (this.#object) this.#consume ??= consumeFrom(this.#object, stream.promised, below, isSync)
  }

  #note(packed: unknown, isMarked: boolean): number {
    const { stream, accounts, ended } = this.#user
    const { kind, promised } = stream
    const { producer, id } = packingOf(kind).unpack(packed)
    if (id === LAST) {
      ended?.()
      return 0
    }
    const before = accounts.wasTaken(id)
    if (before > 0 && !isMarked && promised !== 'at least once') this.#report(`${id} came twice`)
    if (isMarked && promised !== 'marked when it comes again') this.#report(`${id} was marked`)
    if (!isMarked) this.#checkOrder(producer, id)
    return 1
  }

  /** What a producer puts in comes out in that order. */
  #checkOrder(producer: number, id: number): void {
    const last = this.#last.get(producer) ?? -1
    if (id <= last) this.#report(`${id} of ${producer} came after ${last}`)
    // The producers that were heard of last are at the end.
    this.#last.delete(producer)
    this.#last.set(producer, id)
    if (this.#last.size > REMEMBERED) this.#last.delete(this.#last.keys().next().value as number)
  }

  #report(what: string): void {
    const { stream, id, report } = this.#user
    report(`${stream.kind}, ${stream.promised}, life ${id}: ${what}`)
  }
}

/** Opens a queue; of an SpscQueue, a role, if that is free. */
function openAs(role: Role, { stream, name }: QueueUser): Opened | undefined {
  if (stream.kind !== 'SpscQueue') return open(name)
  try {
    return role === 'producer' ? SpscQueue.openProducer(name) : SpscQueue.openConsumer(name)
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUSY') return undefined
    throw error
  }
}
