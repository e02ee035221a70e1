import { CrossmemError } from '../errors.js'
import { Line } from './line.js'
import { type Call, integer, type Methods, Stored, timeoutOf } from './stored.js'

export class StoredEvent extends Stored {
  readonly kind = 'Event'
  readonly methods = eventMethods
  isSet = false
  readonly line = new Line()

  override *children(): Iterable<Stored> {}

  override state(): object {
    return { isSet: this.isSet, waiting: this.line.length }
  }
}

const eventMethods: Methods<StoredEvent> = {
  set: event => {
    event.isSet = true
    for (const waiter of event.line.empty()) waiter.resolve(undefined)
  },
  clear: event => {
    event.isSet = false
  },
  isSet: event => event.isSet,
  wait: (event, call, token, timeout) =>
    event.isSet ? undefined : event.line.join(call, token, timeoutOf(timeout), undefined),
}

export class StoredBarrier extends Stored {
  readonly kind = 'Barrier'
  readonly methods = barrierMethods
  readonly parties: number
  isBroken = false
  readonly #line = new Line<number>()

  constructor(parties: unknown) {
    super()
    this.parties = integer(parties, 1, 1_000_000)
  }

  override *children(): Iterable<Stored> {}

  override state(): object {
    return { parties: this.parties, waiting: this.waiting, isBroken: this.isBroken }
  }

  get waiting(): number {
    return this.#line.length
  }

  wait(call: Call, token: unknown, timeout: unknown): unknown {
    if (this.isBroken) throw broken()
    const index = this.#line.length
    if (index + 1 < this.parties) {
      return this.#line.join(call, token, timeoutOf(timeout), index, () => this.abort())
    }
    for (let next = this.#line.shift(); next; next = this.#line.shift()) next[0].resolve(next[1])
    return index
  }

  /** Also when a party gives up, or is gone. */
  abort(): void {
    this.isBroken = true
    this.#failAll()
  }

  reset(): void {
    this.#failAll()
    this.isBroken = false
  }

  #failAll(): void {
    for (let next = this.#line.shift(); next; next = this.#line.shift()) {
      const [waiter] = next
      waiter.fail(broken())
    }
  }
}

const broken = (): CrossmemError =>
  new CrossmemError('ERR_BROKEN_BARRIER', 'the barrier is broken, or was reset; reset() mends it')

const barrierMethods: Methods<StoredBarrier> = {
  wait: (barrier, call, token, timeout) => barrier.wait(call, token, timeout),
  abort: barrier => barrier.abort(),
  reset: barrier => barrier.reset(),
  state: barrier => barrier.state(),
}
