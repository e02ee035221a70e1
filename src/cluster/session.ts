import { randomBytes } from 'node:crypto'
import type { CrossmemError } from '../errors.js'
import { clearTimeout, now, setTimeout } from '../wait/index.js'
import type { Argument, Dial, Link } from './link.js'
import type { Script } from './script.js'
import { disconnected, isAnswer, isExpired, translated } from './server-errors.js'

/** Where a session lives: all its keys and channels begin with the prefix. */
export interface Place {
  readonly dial: Dial
  readonly prefix: string
  /** Milliseconds. */
  readonly lease: number
}

/** Something that a session holds. */
export interface Lost {
  lose(reason: CrossmemError): void
}

/** News of a waiter: the words, and the bytes behind them. */
export interface News {
  readonly words: readonly string[]
  readonly bytes: Buffer
}

/** How often a lease is renewed while it lasts. */
const RENEWALS = 3
/** The part of a lease that isn't used: clocks of two machines don't run alike. */
const SAFETY = 0.1
/** How often waits look whether someone has died, in milliseconds. */
const LOOK = 1000

/**
 * One life at the server: a random name, a subscription to the channel of that name, and a lease.
 * Scripts take a session for dead that has no subscriber or no lease. A session doesn't come back:
 * if any of its connections is lost or its lease runs out, all that it holds is gone.
 */
export class Session {
  readonly id = randomBytes(12).toString('base64url')
  /** What it holds. Each learns at once that the session is lost. */
  readonly held = new Set<Lost>()
  readonly #place: Place
  readonly #links: Link[] = []
  #commands!: Link
  readonly #expected = new Map<number, (news: News) => void>()
  readonly #looks = new Map<string, { users: number; look: () => Promise<unknown> }>()
  #lastNumber = 0
  #lost: CrossmemError | undefined
  #renewal: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined

  private constructor(place: Place) {
    this.#place = place
  }

  /** @throws what a client throws that can't connect */
  static async open(place: Place): Promise<Session> {
    const session = new Session(place)
    try {
      session.#commands = await session.#connect()
      const subscriber = await session.#connect()
      await subscriber.subscribe(`${place.prefix}:session:${session.id}`, message => session.#hear(message))
      await session.#renew(false)
      if (session.#lost) throw session.#lost
      return session
    } catch (error) {
      session.lose(disconnected('the connection to the server was lost', error))
      throw error
    }
  }

  /** Why it is over, if it is. */
  get lost(): CrossmemError | undefined {
    return this.#lost
  }

  /** Sends one command, out of any script. */
  async command(...words: Argument[]): Promise<unknown> {
    return this.commandOn(this.#commands, ...words)
  }

  /** As `command`, by a connection of its own. */
  async commandOn(link: Link, ...words: Argument[]): Promise<unknown> {
    if (this.#lost) throw this.#lost
    try {
      return await link.send(words)
    } catch (error) {
      throw translated(this.#failure(error))
    }
  }

  /**
   * Runs a script. The prefix and the session are its first arguments.
   *
   * @throws {CrossmemError} ERR_DISCONNECTED: the session is lost
   * @throws what the server answers, as the client throws it
   */
  async run(script: Script, key: string, args: readonly Argument[], link = this.#commands): Promise<unknown> {
    if (this.#lost) throw this.#lost
    try {
      return await script.run(link, key, [this.#place.prefix, this.id, ...args])
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** A connection may be found lost by a call before its end is heard. */
  #failure(error: unknown): unknown {
    if (isExpired(error)) this.lose(disconnected('the lease of this connection has run out'))
    else if (!isAnswer(error)) this.lose(disconnected('the connection to the server was lost', error))
    return this.#lost ?? error
  }

  /** Another connection, which is lost together with the session. */
  async anotherLink(): Promise<Link> {
    if (this.#lost) throw this.#lost
    try {
      return await this.#connect()
    } catch (error) {
      throw this.#lost ?? translated(error)
    }
  }

  /** The number of a new waiter or holder of this session. */
  nextNumber(): number {
    return ++this.#lastNumber
  }

  /** Calls `hear` with all news of a waiter until it is forgotten. */
  expect(number: number, hear: (news: News) => void): void {
    this.#expected.set(number, hear)
  }

  /** Ends that, unless another one expects news of the number by now. */
  forget(number: number, hear: (news: News) => void): void {
    if (this.#expected.get(number) === hear) this.#expected.delete(number)
  }

  /**
   * Has `look` called every second while anyone waits at the object of this key: the server tells
   * nobody that a connection has ended, so those that wait ask. Returns the function that ends it.
   */
  watch(key: string, look: () => Promise<unknown>): () => void {
    const watched = this.#looks.get(key) ?? { users: 0, look }
    this.#looks.set(key, watched)
    watched.users++
    this.#looking ??= setTimeout(() => this.#look(), LOOK)
    return () => {
      if (--watched.users === 0) this.#looks.delete(key)
    }
  }

  /** Ends it: everything that it holds is lost. */
  lose(reason: CrossmemError): void {
    if (this.#lost) return
    this.#lost = reason
    clearTimeout(this.#renewal)
    clearTimeout(this.#expiry)
    clearTimeout(this.#looking)
    for (const link of this.#links) link.close()
    for (const held of [...this.held]) held.lose(reason)
    this.held.clear()
  }

  /** Ends it and takes its lease off the server. */
  async close(reason: CrossmemError): Promise<void> {
    try {
      if (!this.#lost) await this.#commands.send(['DEL', this.#leaseKey])
    } catch {
      // The lease runs out by itself, and the subscription ends now.
    }
    this.lose(reason)
  }

  get #leaseKey(): string {
    return `${this.#place.prefix}:lease:${this.id}`
  }

  async #connect(): Promise<Link> {
    const link = await this.#place.dial()
    this.#links.push(link)
    link.onEnd(() => this.lose(disconnected('the connection to the server was lost')))
    if (this.#lost) {
      link.close()
      throw this.#lost
    }
    return link
  }

  #hear(message: Buffer): void {
    const end = message.indexOf('\n')
    const head = message.toString('latin1', 0, end < 0 ? message.length : end)
    const [number, ...words] = head.split(' ')
    const bytes = end < 0 ? Buffer.alloc(0) : message.subarray(end + 1)
    this.#expected.get(Number(number))?.({ words, bytes })
  }

  /** The lease counts from the moment at which its renewal was sent. */
  async #renew(isAgain: boolean): Promise<void> {
    const { lease } = this.#place
    const sent = now()
    if (!isAgain) this.#expireAt(sent)
    try {
      const words = isAgain
        ? ['PEXPIRE', this.#leaseKey, String(lease)]
        : ['SET', this.#leaseKey, '1', 'PX', String(lease)]
      if ((await this.#commands.send(words)) === 0) {
        return this.lose(disconnected('the lease of this connection has run out'))
      }
      if (this.#lost) return
      this.#expireAt(sent)
    } catch (error) {
      if (!isAgain) throw error
      // A refusal may pass; the lease decides.
      if (this.#lost) return
    }
    const next = Math.max(0, sent + lease / RENEWALS - now())
    this.#renewal = setTimeout(() => void this.#renew(true), next)
    this.#renewal.unref()
  }

  #expireAt(sent: number): void {
    clearTimeout(this.#expiry)
    const left = Math.max(0, sent + this.#place.lease * (1 - SAFETY) - now())
    this.#expiry = setTimeout(
      () => this.lose(disconnected('the server did not answer for the time of the lease')),
      left,
    )
    this.#expiry.unref()
  }

  async #look(): Promise<void> {
    // A look that fails is repeated; the wait itself learns of what lasts.
    await Promise.allSettled([...this.#looks.values()].map(({ look }) => look()))
    this.#looking = undefined
    if (this.#lost || this.#looks.size === 0) return
    this.#looking = setTimeout(() => this.#look(), LOOK)
  }
}
