import { CrossmemError, hasCode } from '../errors.js'
import { Mutex, RwLock } from '../locks/index.js'
import { type PoolInbox, Queue } from '../queues/index.js'
import { type Call, Job, type Owner, type Runner } from './job.js'
import { keepAlive } from './keeper.js'
import { settle, tell } from './outcome.js'
import { Parcel } from './parcel.js'
import { type Answer, lifeOf, type Request } from './requests.js'
import { stopInTime } from './stop-in-time.js'
import { readTerms, type Terms } from './terms.js'
import { wireOf } from './wire.js'

/** Gives tasks to a pool of another process, and gets their results. */
export class Remote implements Runner, Owner {
  readonly #pool: string
  readonly #inbox: PoolInbox<Request>
  readonly #answers = Queue.create<Answer>(null)
  /** This process holds it as long as it is a client. */
  readonly #life = Mutex.create(null)
  readonly #guard = this.#life.lockSync()
  /** When this process may read it, the pool is gone. */
  readonly #poolLife: RwLock
  readonly #terms: Terms
  readonly #jobs = new Map<number, Job>()
  #last = 0
  /** Why no task is taken any more. */
  #end: CrossmemError | undefined

  /** @throws {CrossmemError} as `open()` */
  constructor(inbox: PoolInbox<Request>) {
    this.#inbox = inbox
    this.#pool = inbox.name
    try {
      this.#terms = readTerms(inbox.name)
      this.#poolLife = RwLock.open(lifeOf(inbox.name))
    } catch (error) {
      this.#answers.close()
      this.#life.close()
      throw error
    }
    this.#request('join', this.#life.name)
    void this.#listen()
    void this.#poolLife.read({ unref: true }).then(
      guard => {
        // A guard of a lock that was closed meanwhile is gone.
        if (this.#end) return
        guard.release()
        this.#finish(
          new CrossmemError('ERR_PEER_DIED', `the pool "${this.#pool}" is closed, or its process is gone`),
        )
      },
      () => undefined,
    )
  }

  get workers(): number {
    return this.#terms.workers
  }

  submit(call: Call): Job {
    const job = new Job(++this.#last, call, this)
    this.#jobs.set(job.id, job)
    keepAlive(1)
    stopInTime(job)
    this.#send(job)
    return job
  }

  settled(job: Job): void {
    this.#jobs.delete(job.id)
    keepAlive(-1)
  }

  stop(job: Job, reason: unknown): void {
    if (job.outcome || job.stopped) return
    job.stopped = { reason }
    this.#request('stop', job.id, wireOf(reason))
  }

  close(): void {
    this.#finish(new CrossmemError('ERR_CLOSED', `the client of the pool "${this.#pool}" was closed`))
  }

  #send(job: Job): void {
    const { run, mode, args, options } = job.call
    const { signal, priority, key = null, retries = null } = options
    if (this.#end) job.reject(this.#end)
    else if (signal?.aborted) {
      job.stopped = { reason: signal.reason }
      job.reject(signal.reason)
    } else {
      try {
        // The next worker shall get what was sent, not what a dead one made of it.
        const parcel = new Parcel(args, this.#terms.share && (retries ?? this.#terms.retries) === 0)
        job.parcel = parcel
        const { wire, sender } = parcel
        this.#request('call', job.id, run, mode, wire, sender, { priority, key, retries })
      } catch (error) {
        job.reject(error)
      }
    }
  }

  /** If the pool is gone, `#finish` tells the tasks. */
  #request(...request: Request extends [string, ...infer Rest] ? Rest : never): void {
    this.#inbox.put([this.#answers.name, ...request] as Request, { unref: true }).catch(() => undefined)
  }

  async #listen(): Promise<void> {
    for (;;) {
      try {
        this.#hear(await this.#answers.get({ unref: true }))
      } catch (error) {
        if (hasCode(error, 'ERR_CLOSED')) return
        if (!hasCode(error, 'ERR_PEER_DIED')) return this.#finish(error as CrossmemError)
      }
    }
  }

  #hear(answer: Answer): void {
    const job = this.#jobs.get(answer[1])
    if (answer[0] === 'progress') {
      if (job) tell(job, answer)
      return
    }
    if (answer[0] === 'begun') {
      if (job) job.isKnownToRun = true
      return
    }
    if (job) settle(job, answer)
    if (answer[0] === 'returned' && answer[4]) this.#request('release', answer[1])
  }

  #finish(reason: CrossmemError): void {
    if (this.#end) return
    this.#end = reason
    for (const job of [...this.#jobs.values()]) job.reject(job.stopped?.reason ?? reason)
    this.#answers.close()
    this.#guard.release()
    this.#life.close()
    this.#poolLife.close()
    this.#inbox.close()
  }
}
