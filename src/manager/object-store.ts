import { CrossmemError } from '../errors.js'
import { setTimeout } from '../wait/index.js'
import type { WireObject } from './protocol.js'
import { type Call, type Stored, text } from './stored.js'
import { StoredDict } from './stored-dict.js'
import { StoredBarrier, StoredEvent } from './stored-event.js'
import { argumentsOf, StoredInstance } from './stored-instance.js'
import { StoredList } from './stored-list.js'
import { StoredCondition, StoredLock } from './stored-lock.js'
import { StoredQueue } from './stored-queue.js'
import { StoredSemaphore } from './stored-semaphore.js'
import { refused } from './values.js'

export type Maker = (...args: never[]) => unknown

/** What clients can have the manager make, and nothing else. */
const makers: Record<string, (call: Call, first: unknown, second: unknown) => Stored> = {
  Dict: (call, entries) => new StoredDict('Dict', call, entries),
  Namespace: (call, entries) => new StoredDict('Namespace', call, entries),
  List: (call, items) => new StoredList('List', call, items),
  Array: (call, items) => new StoredList('Array', call, items),
  Value: (call, items) => new StoredList('Value', call, items),
  Lock: () => new StoredLock('Lock'),
  RLock: () => new StoredLock('RLock'),
  Condition: () => new StoredCondition(),
  Semaphore: (_, permits, max) => new StoredSemaphore(permits, max),
  Event: () => new StoredEvent(),
  Barrier: (_, parties) => new StoredBarrier(parties),
  Queue: (_, capacity) => new StoredQueue('Queue', capacity),
  JoinableQueue: (_, capacity) => new StoredQueue('JoinableQueue', capacity),
}

/**
 * The objects of a manager. One lives while a client holds it, a name leads to it, a reference to
 * it is on its way, or another one that lives has it. The garbage collector finds the last of
 * these, so circles go, too.
 */
export class ObjectStore {
  /** Those that live for a reason of their own, with how many reasons there are. */
  readonly #roots = new Map<Stored, number>()
  readonly #all = new Map<number, WeakRef<Stored>>()
  readonly #gone = new FinalizationRegistry<number>(id => void this.#all.delete(id))
  readonly #names = new Map<string, Stored>()
  readonly #classes = new Map<string, Maker>()
  /** Objects of the user's classes, by the object. */
  readonly #instances = new WeakMap<object, StoredInstance>()
  #lastId = 0

  add<T extends Stored>(stored: T): T {
    stored.id = ++this.#lastId
    this.#all.set(stored.id, new WeakRef(stored))
    this.#gone.register(stored, stored.id)
    return stored
  }

  hold(stored: Stored): void {
    this.#roots.set(stored, (this.#roots.get(stored) ?? 0) + 1)
  }

  letGo(stored: Stored): void {
    const left = (this.#roots.get(stored) ?? 0) - 1
    if (left > 0) this.#roots.set(stored, left)
    else {
      this.#roots.delete(stored)
      stored.end()
    }
  }

  /** A reference to it is on its way for so long. */
  holdFor(stored: Stored, milliseconds: number): void {
    this.hold(stored)
    setTimeout(() => this.letGo(stored), milliseconds).unref()
  }

  /** @throws {CrossmemError} ERR_LOST: it doesn't live any more */
  find(id: number): Stored {
    const stored = this.#all.get(id)?.deref()
    if (stored) return stored
    throw new CrossmemError(
      'ERR_LOST',
      'the manager has this object no more: no process held it, and no name led to it',
    )
  }

  /** All that live, each once. */
  reachable(): Set<Stored> {
    const reached = new Set<Stored>(this.#roots.keys())
    // A Set's iterator comes to what is added meanwhile.
    for (const stored of reached) for (const child of stored.children()) reached.add(child)
    return reached
  }

  register(name: string, maker: Maker): void {
    if (Object.hasOwn(makers, name))
      throw refused(`${name} is a class of the manager's own; take another name`)
    if (this.#classes.has(name)) throw new CrossmemError('ERR_EXISTS', `there is a class ${name} already`)
    this.#classes.set(name, maker)
  }

  make(call: Call, kind: string, first: unknown, second: unknown): Stored {
    if (!Object.hasOwn(makers, kind)) throw refused(`a manager has no ${JSON.stringify(kind.slice(0, 80))}`)
    return this.add((makers[kind] as (typeof makers)[string])(call, first, second))
  }

  /**
   * Makes an object of a class that was registered, or what a function that was registered
   * returns.
   */
  async create(call: Call, name: unknown, args: unknown): Promise<WireObject> {
    const maker = this.#classes.get(text(name))
    if (!maker) {
      const known = [...this.#classes.keys()].join(', ') || 'none'
      throw new CrossmemError(
        'ERR_NOT_FOUND',
        `no class ${JSON.stringify(text(name).slice(0, 80))} is registered; there is: ${known}`,
      )
    }
    const given = argumentsOf(call, args) as never[]
    const made: unknown = isClass(maker) ? Reflect.construct(maker, given) : await maker(...given)
    if (typeof made !== 'object' || made === null) throw refused(`${text(name)} returned no object`)
    return call.object(this.#instanceOf(made))
  }

  /** The object of a class that was registered; `undefined` for any other value. */
  byReference(value: unknown): StoredInstance | undefined {
    if (typeof value !== 'object' || value === null) return undefined
    const known = this.#instances.get(value)
    if (known) return known
    const isOfClass = [...this.#classes.values()].some(maker => isClass(maker) && value instanceof maker)
    return isOfClass ? this.#instanceOf(value) : undefined
  }

  publish(name: string, stored: Stored): void {
    if (this.#names.has(name))
      throw new CrossmemError(
        'ERR_EXISTS',
        `the manager has published ${JSON.stringify(name)} before; unpublish() it first`,
      )
    this.#names.set(name, stored)
    this.hold(stored)
  }

  unpublish(name: string): boolean {
    const stored = this.#names.get(name)
    if (!stored) return false
    this.#names.delete(name)
    this.letGo(stored)
    return true
  }

  published(name: string): Stored {
    const stored = this.#names.get(name)
    if (stored) return stored
    throw new CrossmemError(
      'ERR_NOT_FOUND',
      `the manager has published nothing as ${JSON.stringify(name.slice(0, 80))}`,
    )
  }

  get names(): ReadonlyMap<string, Stored> {
    return this.#names
  }

  #instanceOf(object: object): StoredInstance {
    const known = this.#instances.get(object)
    if (known) return known
    const stored = this.add(new StoredInstance(object))
    this.#instances.set(object, stored)
    return stored
  }
}

const isClass = (maker: Maker): maker is Maker & (new (...args: never[]) => object) =>
  /^class\b/.test(Function.prototype.toString.call(maker))
