import { CrossmemError } from '../errors.js'
import { now } from '../wait/index.js'
import type { Mode, News, Wire } from './messages.js'
import type { CheckedTask } from './options.js'
import { placeOf, type Waiting } from './waiting.js'

/** What a task tells while it runs. */
export interface Progress {
  /** How much is done. */
  readonly done: number
  /** How much there is in all; `undefined` if the task doesn't know. */
  readonly total: number | undefined
  /** What else it tells. */
  readonly note: unknown
}

/** Arguments on their way, and their objects, which live until they are released. */
export interface Carried {
  readonly wire: Wire
  /** The instance of the agent that has the ends of pipes among them. */
  readonly sender: number | null
  release(): void
}

/** What goes to the client of a pool as it came from the worker. */
export type Forwarded = Extract<News, ['progress' | 'returned', ...unknown[]]>

/** What a caller wants to have run. */
export interface Call {
  run: string
  mode: Mode
  args: readonly unknown[]
  options: CheckedTask
  /** The arguments if they are on their way already, in place of `args`. */
  parcel?: Carried
  /**
   * Gets the result and what was told before, in place of the job. `release` is there if the worker
   * keeps objects open until it is called.
   */
  forward?(news: Forwarded, release?: () => void): void
  /** Is told, once, that a worker has begun it, unless it is done soon. */
  begun?(): void
}

/** A call that a worker has. */
export interface Posting {
  /** Whether the worker has begun it and not ended it. */
  readonly isRunning: boolean
  /** Takes it back. Returns false if the worker has begun it. */
  takeBack(): boolean
  /** Tells the function to end. */
  abort(reason: Wire): void
  /** Kills the worker if it runs this call now. */
  kill(): void
}

/** One call on its way through the pool. It is settled exactly once. */
export class Job implements Waiting {
  readonly place: number
  /** When it was submitted, in milliseconds of `now()`. */
  readonly since = now()
  /** The arguments, once the pool has accepted it. */
  parcel: Carried | undefined
  /** Set while a worker has it. */
  posting: Posting | undefined
  /** Why it is to end. */
  stopped: { readonly reason: unknown } | undefined
  /** Whether the pool has told a client that a worker has begun it. */
  isKnownToRun = false
  /** How many workers have begun it. */
  attempts = 0
  outcome: 'done' | 'failed' | 'cancelled' | undefined
  readonly promise: Promise<unknown>
  // Most tasks have no listener.
  #ends: Set<() => void> | undefined
  #listeners: Set<Hear> | undefined
  #fulfill!: (value: unknown) => void
  #reject!: (reason: unknown) => void

  constructor(
    /** Its number in the pool, from 1 up. */
    readonly id: number,
    readonly call: Call,
    /** What runs it; `undefined` of one that was refused. */
    readonly owner?: Owner,
  ) {
    this.place = placeOf(id, call.options.priority)
    this.promise = new Promise((resolve, reject) => {
      this.#fulfill = resolve
      this.#reject = reject
    })
  }

  fulfill(value: unknown): void {
    this.#settle('done')
    this.#fulfill(value)
  }

  reject(reason: unknown): void {
    this.#settle(this.stopped ? 'cancelled' : 'failed')
    this.#reject(reason)
  }

  /** Ends it, unless it has ended. */
  stop(reason: unknown): void {
    this.owner?.stop(this, reason)
  }

  tell(progress: Progress): void {
    for (const hear of this.#listeners ?? []) hear(progress)
  }

  /** Calls `hear` with what it tells, and with `undefined` when it is settled. */
  listen(hear: Hear): void {
    this.#listeners ??= new Set()
    this.#listeners.add(hear)
  }

  unlisten(hear: Hear): void {
    this.#listeners?.delete(hear)
  }

  /** Calls `act` when it is settled. */
  atEnd(act: () => void): void {
    this.#ends ??= new Set()
    this.#ends.add(act)
  }

  notAtEnd(act: () => void): void {
    this.#ends?.delete(act)
  }

  #settle(outcome: Job['outcome']): void {
    if (this.outcome) throw new CrossmemError('ERR_CORRUPT', `task ${this.id} was settled twice`)
    this.outcome = outcome
    this.parcel?.release()
    this.parcel = undefined
    this.posting = undefined
    this.owner?.settled(this)
    for (const act of this.#ends ?? []) act()
    for (const hear of this.#listeners ?? []) hear(undefined)
    this.#listeners = undefined
  }
}

type Hear = (progress: Progress | undefined) => void

/** What has a task until it is settled. */
export interface Owner {
  /** Ends it, unless it has ended. */
  stop(job: Job, reason: unknown): void
  /** It has just been settled. */
  settled(job: Job): void
}

/** What runs tasks: the dispatcher of a pool, or what hands them to a pool of another process. */
export interface Runner {
  submit(call: Call): Job
  /** How many workers there are at most. */
  readonly workers: number
}
