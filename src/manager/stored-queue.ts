import { CrossmemError } from '../errors.js'
import { Line } from './line.js'
import { type Call, type Cell, type Client, integer, type Methods, Stored, timeoutOf } from './stored.js'
import { refused } from './values.js'

export class StoredQueue extends Stored {
  readonly kind: 'Queue' | 'JoinableQueue'
  readonly methods = methods
  readonly capacity: number
  isEnded = false
  #items: Cell[] = []
  readonly #putters = new Line<Cell>()
  readonly #getters = new Line()
  readonly #joiners = new Line()
  /** Tasks of a JoinableQueue that are put and not done. */
  unfinished = 0
  /** Those whose client was gone before it had done them. */
  failed = 0
  /** How many tasks each client has. */
  readonly #tasks = new Map<Client, number>()

  constructor(kind: 'Queue' | 'JoinableQueue', capacity: unknown) {
    super()
    this.kind = kind
    this.capacity = integer(capacity, 1)
  }

  override *children(): Iterable<Stored> {
    for (const { objects } of this.#items) yield* objects
    for (const { objects } of this.#putters.about()) yield* objects
  }

  override state(): object {
    const tasks = this.kind === 'Queue' ? {} : { unfinished: this.unfinished, failed: this.failed }
    const { size, capacity, isEnded } = this
    return { size, capacity, isEnded, putting: this.#putters.length, getting: this.#getters.length, ...tasks }
  }

  get size(): number {
    return this.#items.length
  }

  tryPut(cell: Cell): boolean {
    if (this.isEnded) throw ended('nothing more can be put into it')
    if (this.#items.length >= this.capacity) return false
    this.#add(cell)
    return true
  }

  put(call: Call, value: unknown, token: unknown, timeout: unknown): unknown {
    const cell = call.cell(value)
    if (this.tryPut(cell)) return undefined
    return this.#putters.join(call, token, timeoutOf(timeout), cell)
  }

  tryGet(call: Call): unknown {
    const cell = this.#items.shift()
    if (!cell) {
      if (this.isEnded && this.#putters.length === 0) throw ended('and all messages were taken')
      return undefined
    }
    const [putter, next] = this.#putters.shift() ?? []
    if (next) this.#add(next)
    putter?.resolve(undefined)
    return [this.#hand(call, cell)]
  }

  get(call: Call, token: unknown, timeout: unknown): unknown {
    return this.tryGet(call) ?? this.#getters.join(call, token, timeoutOf(timeout), undefined)
  }

  /** The client had cancelled its wait before the message came: it becomes the next one again. */
  giveBack(call: Call, value: unknown): void {
    const cell = call.cell(value)
    if (this.kind === 'JoinableQueue') this.#finish(call.client, 1)
    const [getter] = this.#getters.shift() ?? []
    if (getter) getter.resolve([this.#hand(getter.call, cell)])
    else this.#items.unshift(cell)
    if (this.kind === 'JoinableQueue') this.unfinished++
  }

  finish(): void {
    this.isEnded = true
    if (this.size > 0 || this.#putters.length > 0) return
    for (let next = this.#getters.shift(); next; next = this.#getters.shift()) {
      next[0].fail(ended('and all messages were taken'))
    }
  }

  taskDone({ client }: Call): void {
    if (this.kind !== 'JoinableQueue') throw refused('a Queue has no tasks; make a JoinableQueue')
    if (!this.#tasks.has(client)) {
      throw new CrossmemError(
        'ERR_OUT_OF_RANGE',
        'this client has no task of the queue; call taskDone() once for each',
      )
    }
    this.#finish(client, 1)
  }

  join(call: Call, token: unknown, timeout: unknown): unknown {
    return this.unfinished === 0 ? undefined : this.#joiners.join(call, token, timeoutOf(timeout), undefined)
  }

  /** The client is gone. */
  abandon(client: Client): void {
    const count = this.#tasks.get(client) ?? 0
    this.failed += count
    this.#finish(client, count)
  }

  #add(cell: Cell): void {
    if (this.kind === 'JoinableQueue') this.unfinished++
    const [getter] = this.#getters.shift() ?? []
    if (getter) getter.resolve([this.#hand(getter.call, cell)])
    else this.#items.push(cell)
  }

  #hand(call: Call, cell: Cell): unknown {
    if (this.kind === 'JoinableQueue') {
      this.#tasks.set(call.client, (this.#tasks.get(call.client) ?? 0) + 1)
      call.client.owned.add(this)
    }
    if (this.isEnded && this.size === 0) this.finish()
    return call.value(cell)
  }

  #finish(client: Client, count: number): void {
    const left = (this.#tasks.get(client) ?? 0) - count
    if (left > 0) this.#tasks.set(client, left)
    else {
      this.#tasks.delete(client)
      client.owned.delete(this)
    }
    this.unfinished -= count
    if (this.unfinished === 0) for (const waiter of this.#joiners.empty()) waiter.resolve(undefined)
  }
}

const ended = (why: string): CrossmemError => new CrossmemError('ERR_ENDED', `the queue has ended, ${why}`)

const methods: Methods<StoredQueue> = {
  put: (queue, call, value, token, timeout) => queue.put(call, value, token, timeout),
  tryPut: (queue, call, value) => queue.tryPut(call.cell(value)),
  get: (queue, call, token, timeout) => queue.get(call, token, timeout),
  tryGet: (queue, call) => queue.tryGet(call),
  giveBack: (queue, call, value) => queue.giveBack(call, value),
  end: queue => queue.finish(),
  taskDone: (queue, call) => queue.taskDone(call),
  join: (queue, call, token, timeout) => queue.join(call, token, timeout),
  state: queue => queue.state(),
}
