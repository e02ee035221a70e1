import { FileLock, type Lock, locks } from 'crossmem'
import { linger } from '../storm/locks.js'
import { type Actor, type Deed, PATIENCE } from './actor.js'
import type { Lane } from './lanes.js'

/** Names of locks, or places in a file. */
const PLACES = 3

// Words that a lock guards, by place.
const INSIDE = 0
/** 1 once a shared holder was told of a death inside. */
const TOLD = PLACES

/** Enters places where no other life may be meanwhile. */
abstract class Excluding {
  readonly #actor: Actor
  readonly #lane: Lane

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#lane = lane
  }

  get actor(): Actor {
    return this.#actor
  }

  /** @param isSure whether no holder can have died inside: the lock would have told */
  protected async alone(place: number, isSure: boolean): Promise<void> {
    const words = this.#guarded(place)
    const me = this.actor.id + 1
    if (isSure && words[INSIDE] !== 0 && words[TOLD] === 0) {
      this.#report(`not told that ${words[INSIDE]} died inside`)
    }
    words[TOLD] = 0
    words[INSIDE] = me
    await linger(this.actor.isSync)
    if (words[INSIDE] !== me) this.#report(`${words[INSIDE]} is inside, too`)
    words[INSIDE] = 0
  }

  /** No exclusive holder enters while shared holders are inside. */
  protected async together(place: number, wasTold: boolean): Promise<void> {
    const words = this.#guarded(place)
    if (wasTold) words[TOLD] = 1
    const before = words[INSIDE]
    await linger(this.actor.isSync)
    if (words[INSIDE] !== before) this.#report(`${words[INSIDE]} came in beside the shared holders`)
  }

  protected told(): void {
    this.actor.told(this.#lane)
  }

  #guarded(place: number): Int32Array {
    return this.actor.board.guarded(this.#lane.number).subarray(place)
  }

  #report(what: string): void {
    this.actor.report(this.#lane, what)
  }
}

/** Locks places of a file. */
export class FileLockDeed extends Excluding implements Deed {
  readonly #file: FileLock

  constructor(actor: Actor, lane: Lane) {
    super(actor, lane)
    this.#file = FileLock.open(actor.life.file)
  }

  async turn(): Promise<number> {
    const { below, isSync } = this.actor
    const start = below(PLACES)
    const shared = below(3) === 0
    const options = { start, length: 1, shared, timeout: PATIENCE }
    using _guard = isSync ? this.#file.lockSync(options) : await this.#file.lock(options)
    if (shared) await this.together(start, false)
    else await this.alone(start, false)
    return 1
  }

  close(): void {
    this.#file.close()
  }
}

/** Requests locks by their names. */
export class NamedLockDeed extends Excluding implements Deed {
  async turn(): Promise<number> {
    const { below, life } = this.actor
    const place = below(PLACES)
    const name = `${life.word}-${place}`
    const way = below(6)
    if (way < 3) await locks.request(name, lock => this.#enter(place, lock as Lock))
    else if (way === 3)
      await locks.request(name, { mode: 'shared' }, lock => this.#share(place, lock as Lock))
    else if (way === 4) {
      await locks.request(name, { ifAvailable: true }, lock => lock && this.#enter(place, lock))
    } else {
      try {
        await locks.request(name, { signal: AbortSignal.timeout(1 + below(20)) }, lock =>
          this.#enter(place, lock as Lock),
        )
      } catch (error) {
        if ((error as Error).name !== 'TimeoutError') throw error
      }
    }
    return 1
  }

  close(): void {}

  async #enter(place: number, { recovered }: Lock): Promise<void> {
    if (recovered) this.told()
    await this.alone(place, !recovered)
  }

  async #share(place: number, { recovered }: Lock): Promise<void> {
    if (recovered) this.told()
    await this.together(place, recovered)
  }
}
