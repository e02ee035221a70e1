import { hasCode } from '../errors.js'
import { type Guard, Mutex, RwLock } from '../locks/index.js'
import type { SharedMemory } from '../memory/index.js'
import { packError } from '../process/index.js'
import { PoolInbox, Queue } from '../queues/index.js'
import type { Dispatcher } from './dispatcher.js'
import type { Forwarded, Job } from './job.js'
import { type Answer, lifeOf, type Request, type RequestedOptions } from './requests.js'
import { publishTerms, type Terms } from './terms.js'
import { fromWire } from './wire.js'

/**
 * The processes that give tasks to a pool of this process.
 *
 * A client has a queue for answers, and holds a mutex; the pool holds a lock for writing that
 * clients wait to read. So the kernel's word of a death reaches the other side as it does with any
 * lock, whatever either side was about to do:
 *
 * | dead | the other side |
 * | --- | --- |
 * | client, before its request is in the inbox | nothing of it is known |
 * | client, after it | the pool gets the mutex, cancels the client's tasks, and releases their results |
 * | pool, at any time | each client may read, and its tasks reject with ERR_PEER_DIED |
 */
export class Clients {
  readonly #dispatcher: Dispatcher
  readonly #inbox: PoolInbox<Request>
  readonly #life: RwLock
  readonly #guard: Guard
  readonly #terms: SharedMemory
  readonly #clients = new Map<string, Client>()

  /** @param name the name of the pool for other processes */
  constructor(dispatcher: Dispatcher, name: string, terms: Terms) {
    this.#dispatcher = dispatcher
    this.#inbox = PoolInbox.create<Request>(name)
    this.#terms = publishTerms(name, terms)
    this.#life = RwLock.create(lifeOf(this.#inbox.name))
    this.#guard = this.#life.writeSync()
    void this.#listen()
  }

  /** The name of the pool for other processes. */
  get name(): string {
    return this.#inbox.name
  }

  /** Clients are told that the pool is gone. */
  close(): void {
    for (const client of this.#clients.values()) client.close()
    this.#guard.release()
    this.#life.close()
    this.#terms.close()
    this.#inbox.close()
  }

  async #listen(): Promise<void> {
    for (;;) {
      try {
        this.#obey(await this.#inbox.get({ unref: true }))
      } catch (error) {
        // The last client has gone; another one may come.
        if (!hasCode(error, 'ERR_PEER_DIED')) return
      }
    }
  }

  #obey(request: Request): void {
    const [name] = request
    if (request[1] === 'join') this.#join(name, request[2])
    else this.#clients.get(name)?.obey(request)
  }

  #join(name: string, life: string): void {
    try {
      const client = new Client(this.#dispatcher, name, life, () => this.#clients.delete(name))
      this.#clients.set(name, client)
    } catch {
      // It has gone already.
    }
  }
}

class Client {
  readonly #dispatcher: Dispatcher
  readonly #answers: Queue<Answer>
  readonly #life: Mutex
  readonly #jobs = new Map<number, Job>()
  /** What to do when the objects in a result are open in the client. */
  readonly #held = new Map<number, () => void>()
  readonly #gone: () => void

  constructor(dispatcher: Dispatcher, name: string, life: string, gone: () => void) {
    this.#dispatcher = dispatcher
    this.#gone = gone
    this.#answers = Queue.open<Answer>(name)
    try {
      this.#life = Mutex.open(life)
    } catch (error) {
      this.#answers.close()
      throw error
    }
    void this.#life.lock({ unref: true }).then(
      () => this.close(),
      () => this.close(),
    )
  }

  obey(request: Exclude<Request, [string, 'join', ...unknown[]]>): void {
    if (request[1] === 'call') this.#call(request)
    else if (request[1] === 'stop') this.#jobs.get(request[2])?.stop(fromWire(request[3]).list[0])
    else this.#release(request[2])
  }

  /** Cancels its tasks: no process waits for them. */
  close(): void {
    this.#gone()
    for (const job of [...this.#jobs.values()]) job.stop(undefined)
    for (const task of [...this.#held.keys()]) this.#release(task)
    this.#answers.close()
    this.#life.close()
  }

  #call([, , task, run, mode, wire, sender, options]: Extract<
    Request,
    [string, 'call', ...unknown[]]
  >): void {
    const job = this.#dispatcher.submit({
      run,
      mode,
      args: [],
      // The client keeps the objects until it has the result.
      parcel: { wire, sender, release: () => undefined },
      options: optionsOf(options),
      begun: () => this.#answer(['begun', task]),
      forward: (news, release) => {
        if (release) this.#held.set(task, release)
        this.#answer(news.with(1, task) as Forwarded)
      },
    })
    this.#jobs.set(task, job)
    job.promise.then(
      () => this.#jobs.delete(task),
      error => {
        this.#jobs.delete(task)
        this.#answer(['failed', task, packError(error), [0, false, 0]])
      },
    )
  }

  #release(task: number): void {
    this.#held.get(task)?.()
    this.#held.delete(task)
  }

  /** A client that is gone, or closed, gets no answer. */
  #answer(answer: Answer): void {
    this.#answers.put(answer, { unref: true }).catch(() => undefined)
  }
}

const optionsOf = ({ priority, key, retries }: RequestedOptions) => ({
  signal: undefined,
  timeout: Number.POSITIVE_INFINITY,
  priority,
  key: key ?? undefined,
  retries: retries ?? undefined,
})
