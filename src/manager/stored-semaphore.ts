import { CrossmemError } from '../errors.js'
import { Line } from './line.js'
import { type Call, type Client, integer, type Methods, Stored, timeoutOf } from './stored.js'

export class StoredSemaphore extends Stored {
  readonly kind = 'Semaphore'
  readonly methods = methods
  #free: number
  readonly max: number
  /** How many permits each client has. */
  readonly #held = new Map<Client, number>()
  readonly #line = new Line()

  constructor(permits: unknown, max: unknown) {
    super()
    this.max = integer(max, 1)
    this.#free = integer(permits, 0, this.max)
  }

  override *children(): Iterable<Stored> {}

  override state(): object {
    return { value: this.#free, max: this.max, waiting: this.#line.length }
  }

  get value(): number {
    return this.#free
  }

  tryAcquire({ client }: Call): boolean {
    if (this.#free === 0) return false
    this.#free--
    this.#give(client)
    return true
  }

  acquire(call: Call, token: unknown, timeout: unknown): unknown {
    return this.tryAcquire(call) || this.#line.join(call, token, timeoutOf(timeout), undefined)
  }

  /** Gives back permits that the client has; if it has fewer, adds new ones. */
  release({ client }: Call, count: unknown): void {
    const given = integer(count, 1)
    const own = Math.min(given, this.#held.get(client) ?? 0)
    const out = [...this.#held.values()].reduce((sum, held) => sum + held, 0)
    if (this.#free + out - own + given > this.max) {
      throw new CrossmemError('ERR_OUT_OF_RANGE', `there would be more than ${this.max} permits`)
    }
    this.#take(client, own)
    this.#free += given
    this.#serve()
  }

  /** A permit of the client is gone for good. */
  consume({ client }: Call): void {
    if (!this.#held.has(client))
      throw new CrossmemError('ERR_LOST_OWNERSHIP', 'the permit was released before')
    this.#take(client, 1)
  }

  /** The client is gone. */
  abandon(client: Client): void {
    const count = this.#held.get(client) ?? 0
    this.#take(client, count)
    this.#free += count
    this.#serve()
  }

  #give(client: Client): void {
    this.#held.set(client, (this.#held.get(client) ?? 0) + 1)
    client.owned.add(this)
  }

  #take(client: Client, count: number): void {
    const left = (this.#held.get(client) ?? 0) - count
    if (left > 0) this.#held.set(client, left)
    else {
      this.#held.delete(client)
      client.owned.delete(this)
    }
  }

  #serve(): void {
    while (this.#free > 0) {
      const [waiter] = this.#line.shift() ?? []
      if (!waiter) return
      this.#free--
      this.#give(waiter.call.client)
      waiter.resolve(true)
    }
  }
}

const methods: Methods<StoredSemaphore> = {
  tryAcquire: (semaphore, call) => semaphore.tryAcquire(call),
  acquire: (semaphore, call, token, timeout) => semaphore.acquire(call, token, timeout),
  release: (semaphore, call, count) => semaphore.release(call, count),
  consume: (semaphore, call) => semaphore.consume(call),
  value: semaphore => semaphore.value,
}
