import { NDArray, open, type SharedArray, type Value } from 'crossmem'
import { linger } from '../storm/locks.js'
import { type Actor, type Deed, PATIENCE } from './actor.js'
import type { Lane } from './lanes.js'

const wait = { timeout: PATIENCE }

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code

type Elements = Float64Array | Int32Array

/** First elements are below. */
const MOST = 1_000_000

/** Updates arrays whose elements belong together, and checks them. */
export class ArrayDeed implements Deed {
  readonly #actor: Actor
  readonly #lane: Lane
  readonly #arrays: NDArray<'float64' | 'int32'>[]

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#lane = lane
    this.#arrays = actor.objectsOf(lane).map(name => NDArray.open(name))
  }

  async turn(): Promise<number> {
    const { below, isSync } = this.#actor
    const array = this.#arrays[below(this.#arrays.length)] as NDArray<'float64' | 'int32'>
    const way = below(3)
    if (way === 0) return this.#read(array)
    if (way === 1) return atOnce(isSync, wait => this.#update(array, wait))
    if (isSync) return this.#update(array, wait)
    await array.withLock(async (data, { ownerDied }) => {
      this.#enter(data, ownerDied)
      const [first, half] = [below(MOST), data.length / 2]
      fill(data.subarray(0, half), first, 0)
      await linger(isSync)
      fill(data.subarray(half), first, half)
    }, wait)
    return 1
  }

  close(): void {
    for (const array of this.#arrays) array.close()
  }

  #update(array: NDArray<'float64' | 'int32'>, wait: { timeout: number }): number {
    array.update((data, { ownerDied }) => {
      this.#enter(data, ownerDied)
      fill(data, this.#actor.below(MOST), 0)
    }, wait)
    return 1
  }

  #read(array: NDArray<'float64' | 'int32'>): number {
    return atOnce(this.#actor.isSync, wait => {
      try {
        this.#check(array.snapshot(wait))
      } catch (error) {
        if (codeOf(error) !== 'ERR_PEER_DIED') throw error
        this.#actor.told(this.#lane)
      }
      return 1
    })
  }

  #enter(data: Elements, ownerDied: boolean): void {
    if (ownerDied) this.#actor.told(this.#lane)
    else this.#check(data)
  }

  #check(data: Elements): void {
    const first = data[0] as number
    const torn = data.findIndex((value, i) => value !== first + i)
    if (torn >= 0) this.#actor.report(this.#lane, `torn at ${torn}: ${data[torn]} behind ${data[torn - 1]}`)
  }
}

/**
 * Makes a call that would block the thread. A life that holds other locks across turns of its event
 * loop makes only calls that succeed at once: two of them would wait for each other.
 */
function atOnce(isSync: boolean, act: (wait: { timeout: number }) => number): number {
  try {
    return act({ timeout: isSync ? PATIENCE : 0 })
  } catch (error) {
    if (isSync || codeOf(error) !== 'ERR_TIMEOUT') throw error
    return 0
  }
}

/** Each element is its place and the same number more. */
function fill(data: Elements, first: number, place: number): void {
  for (let i = 0; i < data.length; i++) data[i] = first + place + i
}

/** Words that say how often a value was about to be changed, and how often it was. */
const STARTED = 0
const DONE = 1

/** Counts in one value without its lock, and in another one with it. */
export class ValueDeed implements Deed {
  readonly #actor: Actor
  readonly #lane: Lane
  readonly #values: Value<'int32'>[]

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#lane = lane
    this.#values = actor.objectsOf(lane).map(name => open(name) as unknown as Value<'int32'>)
  }

  async turn(): Promise<number> {
    const [atomic, locked] = this.#values as [Value<'int32'>, Value<'int32'>]
    this.#begin(0)
    atomic.add(1)
    this.#finish(0, atomic)
    this.#begin(2)
    const { isSync } = this.#actor
    using guard = isSync ? locked.lockSync(wait) : await locked.lock(wait)
    if (guard.ownerDied) {
      this.#actor.told(this.#lane)
      guard.markConsistent()
    }
    const { value } = locked
    await linger(isSync)
    locked.value = value + 1
    this.#finish(2, locked)
    return 2
  }

  close(): void {
    for (const value of this.#values) value.close()
  }

  get #words(): Int32Array {
    return this.#actor.board.guarded(this.#lane.number)
  }

  #begin(at: number): void {
    Atomics.add(this.#words, at + STARTED, 1)
  }

  /**
   * A killed life has counted or not, so the value lies between the turns that were done and those
   * that were started.
   */
  #finish(at: number, value: Value<'int32'>): void {
    const words = this.#words
    Atomics.add(words, at + DONE, 1)
    const done = Atomics.load(words, at + DONE)
    const found = value.value
    const started = Atomics.load(words, at + STARTED)
    if (done <= found && found <= started) return
    this.#actor.report(this.#lane, `${found} is not from ${done} to ${started}`)
  }
}

/** Moves amounts between accounts; together they are nothing. */
export class TransferDeed implements Deed {
  readonly #actor: Actor
  readonly #lane: Lane
  readonly #accounts: SharedArray<'float64'>

  constructor(actor: Actor, lane: Lane) {
    this.#actor = actor
    this.#lane = lane
    this.#accounts = open(actor.objectsOf(lane)[0] as string) as unknown as SharedArray<'float64'>
  }

  async turn(): Promise<number> {
    const { below, isSync } = this.#actor
    const accounts = this.#accounts
    const [amount, from, to] = [below(100), below(accounts.length), below(accounts.length)]
    if (below(2)) {
      return atOnce(isSync, wait => {
        accounts.update((data, { ownerDied }) => {
          this.#audit(data, ownerDied)
          data[from] = (data[from] as number) - amount
          data[to] = (data[to] as number) + amount
        }, wait)
        return 1
      })
    }
    using guard = isSync ? accounts.lockSync(wait) : await accounts.lock(wait)
    this.#audit(accounts.data, guard.ownerDied)
    if (guard.ownerDied) guard.markConsistent()
    accounts.set(from, (accounts.at(from) as number) - amount)
    await linger(isSync)
    accounts.set(to, (accounts.at(to) as number) + amount)
    return 1
  }

  close(): void {
    this.#accounts.close()
  }

  #audit(data: Float64Array, ownerDied: boolean): void {
    const sum = data.reduce((sum, amount) => sum + amount, 0)
    if (ownerDied) {
      this.#actor.told(this.#lane)
      data[0] = (data[0] as number) - sum
    } else if (sum !== 0) this.#actor.report(this.#lane, `the accounts sum up to ${sum}`)
  }
}
