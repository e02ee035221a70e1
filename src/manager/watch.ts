import { Line } from './line.js'
import { type Call, type Cell, type Methods, Stored } from './stored.js'

/** A change of an entry. */
export interface Change {
  key: Uint8Array
  /** `undefined`: it was deleted. */
  value: Cell | undefined
}

/** Those who watch a dict. */
export class Watchers {
  /** By the entry's key. */
  readonly #byKey = new Map<string, Set<Watch>>()
  readonly #ofAll = new Set<Watch>()

  /** @param name the key of an entry; `undefined` for all */
  add(name: string | undefined, most: number): Watch {
    const watches = name === undefined ? this.#ofAll : (this.#byKey.get(name) ?? new Set())
    if (name !== undefined) this.#byKey.set(name, watches)
    const watch = new Watch(most, () => {
      watches.delete(watch)
      if (name !== undefined && watches.size === 0) this.#byKey.delete(name)
    })
    watches.add(watch)
    return watch
  }

  tell(name: string, change: Change): void {
    if (this.#ofAll.size > 0) for (const watch of this.#ofAll) watch.tell(change)
    if (this.#byKey.size > 0) for (const watch of this.#byKey.get(name) ?? []) watch.tell(change)
  }
}

/** Changes that one client hasn't fetched. */
export class Watch extends Stored {
  readonly kind = 'Watch'
  readonly methods = methods
  readonly #most: number
  readonly #stop: () => void
  readonly #changes: Change[] = []
  #missed = 0
  readonly #line = new Line()

  constructor(most: number, stop: () => void) {
    super()
    this.#most = most
    this.#stop = stop
  }

  override *children(): Iterable<Stored> {
    for (const { value } of this.#changes) yield* value?.objects ?? []
  }

  /** A client that doesn't fetch loses the oldest changes, and is told how many. */
  tell(change: Change): void {
    this.#changes.push(change)
    if (this.#changes.length > this.#most) {
      this.#changes.shift()
      this.#missed++
    }
    const [waiter] = this.#line.shift() ?? []
    waiter?.resolve(this.#take(waiter.call))
  }

  next(call: Call, token: unknown): unknown {
    if (this.#changes.length > 0) return this.#take(call)
    return this.#line.join(call, token, Number.POSITIVE_INFINITY, undefined)
  }

  #take(call: Call): unknown {
    const missed = this.#missed
    this.#missed = 0
    return [missed, this.#changes.splice(0).map(({ key, value }) => [key, call.value(value)])]
  }

  /** The client holds it no more. */
  override end(): void {
    this.#stop()
  }
}

const methods: Methods<Watch> = {
  next: (watch, call, token) => watch.next(call, token),
}
