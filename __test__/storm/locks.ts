import { setTimeout as pause } from 'node:timers/promises'
import { Barrier, type Condition, type Event, open, type RwLock, type Semaphore } from 'crossmem'
import type { Held } from '../contracts/lock.js'
import { below } from '../helpers/random.js'
import { rest } from '../helpers/rest.js'
import type { Kind, Role } from './words.js'

/** Numbers of the words of a kind. */
const INSIDE = 0
const FIRST = 1
const SECOND = 2
const ITEMS = 3

/** A life that uses a kind of lock, and where it notes that. */
export interface LockUser {
  id: number
  isSync: boolean
  /** Survivors with an even number make what the others take. */
  survivor?: number
  /** Longer than anything takes that works, in milliseconds. */
  patience: number
  /** Words of the kind, in shared memory. */
  words: Int32Array
  /** Names of the objects of the kind. */
  objects: readonly string[]
  now(role: Role): void
  report(what: string): void
  /** Hears that it was told of a death. */
  told?(): void
}

/** Lets others run for about a millisecond, in the midst of it all. */
export async function linger(isSync: boolean): Promise<void> {
  if (isSync) rest(below(2))
  else await pause(below(2))
}

interface Lock {
  lock(options: object): Promise<Held>
  lockSync(options: object): Held
}

/** How a life uses one kind of lock, beside others that are killed at any moment. */
export class LockUse {
  readonly kind: Kind
  readonly #user: LockUser
  readonly #words: Int32Array
  readonly #objects: unknown[]
  readonly #wait: { timeout: number }
  #turn = 0

  constructor(kind: Kind, user: LockUser) {
    this.kind = kind
    this.#user = user
    this.#words = user.words
    this.#wait = { timeout: user.patience }
    this.#objects = user.objects.map(name =>
      kind === 'Barrier' ? Barrier.open(name, { action: () => this.#act() }) : open(name),
    )
  }

  async turn(): Promise<void> {
    this.#turn++
    this.#user.now('waiting')
    await this[this.kind]()
    this.#user.now('nothing')
  }

  close(): void {
    for (const object of this.#objects as Disposable[]) object[Symbol.dispose]()
  }

  async Mutex(): Promise<void> {
    await this.#alone(await this.#lock())
  }

  async RLock(): Promise<void> {
    using _outer = await this.#lock()
    await this.#alone(await this.#lock())
  }

  async RwLock(): Promise<void> {
    const lock = this.#objects[0] as RwLock
    if (below(3) === 0)
      return this.#alone(this.#user.isSync ? lock.writeSync(this.#wait) : await lock.write(this.#wait))
    using guard = this.#user.isSync ? lock.readSync(this.#wait) : await lock.read(this.#wait)
    this.#user.now('holding')
    await linger(this.#user.isSync)
    const [inside, first, second] = this.#words
    if (!guard.ownerDied && (inside !== 0 || first !== second)) {
      this.#user.report(`reading beside the writer ${inside}: ${first} and ${second}`)
    }
    this.#user.now('waking')
  }

  /** The first one has one permit, the second one three. */
  async Semaphore(): Promise<void> {
    const [first, second] = this.#objects as [Semaphore, Semaphore]
    await this.#alone(
      this.#user.isSync ? first.acquireSync(this.#wait) : await first.acquire(this.#wait),
      false,
    )
    this.#user.now('waiting')
    using _permit = this.#user.isSync ? second.acquireSync(this.#wait) : await second.acquire(this.#wait)
    this.#user.now('holding')
    await linger(this.#user.isSync)
    this.#user.now('waking')
  }

  /** Some make things, and others take them. */
  async Condition(): Promise<void> {
    const condition = this.#objects[0] as Condition
    const held = await this.#lock()
    if (!this.#makes) {
      const isThere = () => (this.#words[ITEMS] as number) > 0
      if (this.#user.isSync) condition.waitForSync(isThere, this.#wait)
      else await condition.waitFor(isThere, this.#wait)
    }
    this.#user.now('holding')
    const items = (this.#words[ITEMS] as number) + (this.#makes ? 1 : -1)
    if (items < 0) this.#user.report('took what was not there')
    this.#words[ITEMS] = Math.min(100, items)
    if (this.#makes) {
      this.#user.now('waking')
      condition.notify(1 + below(2))
    }
    await this.#alone(held)
  }

  /** Some set the events, and others wait. The first one resets itself. */
  async Event(): Promise<void> {
    const [auto, manual] = this.#objects as [Event, Event]
    if (this.#makes) {
      this.#user.now('waking')
      auto.set()
      manual.set()
      if (below(2)) manual.clear()
      return linger(this.#user.isSync)
    }
    manual.clear()
    for (const event of [auto, manual]) {
      if (this.#user.isSync) event.waitSync(this.#wait)
      else await event.wait(this.#wait)
    }
  }

  /** Any two lives meet; the last one runs the action. */
  async Barrier(): Promise<void> {
    const barrier = this.#objects[0] as Barrier
    try {
      const index = this.#user.isSync ? barrier.waitSync(this.#wait) : await barrier.wait(this.#wait)
      if (index > 1) this.#user.report(`number ${index} of two`)
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_BROKEN_BARRIER') throw error
      this.#user.now('waking')
      barrier.reset()
    }
  }

  /** Of the survivors the first one makes what the other one takes. */
  get #makes(): boolean {
    return (this.#user.survivor ?? this.#turn + this.#user.id) % 2 === 0
  }

  async #lock(): Promise<Held> {
    const lock = this.#objects[0] as Lock
    return this.#user.isSync ? lock.lockSync(this.#wait) : lock.lock(this.#wait)
  }

  /** Does what only one holder may do at a time. A permit doesn't tell of a death. */
  async #alone(held: Held, tells = true): Promise<void> {
    this.#user.now('holding')
    const words = this.#words
    const me = this.#user.id + 1
    const { ownerDied } = held
    if (tells && !ownerDied && words[INSIDE] !== 0)
      this.#user.report(`not told that ${words[INSIDE]} died inside`)
    words[INSIDE] = me
    words[FIRST] = (words[FIRST] as number) + 1
    await linger(this.#user.isSync)
    if (words[INSIDE] !== me) this.#user.report(`${words[INSIDE]} is inside, too`)
    words[SECOND] = words[FIRST] as number
    words[INSIDE] = 0
    if (ownerDied && below(2)) {
      held.markConsistent?.()
      this.#user.told?.()
    }
    this.#user.now('waking')
    held.release()
  }

  #act(): void {
    this.#user.now('holding')
    rest(below(2))
  }
}
