import { hasCode } from '../errors.js'
import { SharedMemory } from '../memory/index.js'
import { Pipe } from '../queues/index.js'
import { now } from '../wait/index.js'
import { Board, PLACES } from './board.js'
import type { Ending, Host, StartHost } from './host.js'
import type { Job, Posting } from './job.js'
import type { After, News, Order, Setup, Wire } from './messages.js'
import { WORKER_BYTES, WorkerStatus } from './worker-status.js'

/** How many bytes can be on their way in each direction. */
const CAPACITY = 1 << 18

/** The most tasks that a worker has at a time. */
const MOST_AHEAD = PLACES / 2

/** How long, in milliseconds, the tasks that a worker has ahead may take. */
const AHEAD = 2

const UNREF = { unref: true }

/** What a worker says about tasks, and why it can't start. */
export type Told = Exclude<News, ['ready']>

/** What a pool hears of a worker. */
export interface Listener {
  isReady(worker: PoolWorker): void
  hears(worker: PoolWorker, news: Told): void
  /** All that the worker had sent was heard. */
  hasEnded(worker: PoolWorker, ending: Ending): void
  /** All news that had come were heard. */
  isQuiet(): void
}

/** What the pool knows of one worker, and how it talks with it. */
export class PoolWorker {
  state: 'starting' | 'ready' | 'leaving' | 'gone' = 'starting'
  /** The tasks that it has, by their numbers on its board, in the order in which it runs them. */
  readonly posted = new Map<number, Job>()
  /** When it was ready; `undefined` before. */
  readyAt: number | undefined
  /** How many tasks it has ended. */
  tasks = 0
  /** When it told something last, or got a task while it had none. */
  lastNews = 0
  /** Whether it has told nothing for long about what it has: it gets no more then. */
  isSlow = false
  /** Whether it was stopped (SIGSTOP). */
  isStopped = false
  /** What it told after its last task. */
  after: After = [0, false, 0]
  /** How long its tasks take, in milliseconds. */
  #average = AHEAD
  #next = 0
  /** Whether it got tasks without being woken. */
  #isToBeRoused = false
  readonly #mostTasks: number
  readonly #pipe: Pipe<Order>
  readonly #memory: SharedMemory
  readonly #board: Board
  readonly #host: Host
  readonly #listener: Listener

  constructor(
    readonly name: string,
    /** The name of its memory. */
    memory: string,
    setup: Setup,
    start: StartHost,
    listener: Listener,
    mostTasks: number,
  ) {
    this.#mostTasks = mostTasks
    this.#listener = listener
    const [here, there] = Pipe.create<unknown>({ capacity: CAPACITY })
    this.#pipe = here as Pipe<Order>
    this.#memory = SharedMemory.create(memory, WORKER_BYTES)
    this.#board = new Board(this.#memory)
    try {
      this.#host = start(name, [there, this.#memory, setup])
      new WorkerStatus(this.#memory).started(this.#host.pid)
    } catch (error) {
      here.close()
      this.#memory.close()
      throw error
    } finally {
      there.close()
    }
    void this.#listen(here as Pipe<News>)
  }

  get pid(): number | undefined {
    return this.#host.pid
  }

  /** How many more tasks it may get now. */
  get room(): number {
    const { size } = this.posted
    if (this.state !== 'ready' || this.isStopped || (this.isSlow && size > 0)) return 0
    const [oldest = this.#next] = this.posted.keys()
    const [, keeps] = this.after
    const left = Math.max(this.#mostTasks - this.tasks, keeps ? 1 : 0)
    const ahead = Math.min(MOST_AHEAD, 1 + Math.floor(AHEAD / this.#average), left)
    return Math.min(ahead - size, PLACES - (this.#next - oldest))
  }

  post(job: Job): void {
    const { parcel, call } = job
    if (!parcel) return
    const task = this.#next++
    if (this.posted.size === 0 && !this.isSlow) this.lastNews = now()
    this.posted.set(task, job)
    this.#board.post(task)
    job.posting = new TaskOfWorker(this, this.#board, task)
    const order: Order = ['call', task, job.id, call.run, call.mode, parcel.wire, parcel.sender]
    this.#pipe.sendQuietly(order, UNREF)?.catch(() => undefined)
    this.#isToBeRoused = true
  }

  /** Wakes it for the tasks that it got: once for all of them. */
  rouse(): void {
    if (!this.#isToBeRoused) return
    this.#isToBeRoused = false
    if (this.state !== 'gone') this.#pipe.rouse()
  }

  /** What it says is no matter once it has gone, and its end is told by its host. */
  send(order: Order): void {
    this.#pipe.send(order, UNREF).catch(() => undefined)
  }

  kill(): void {
    this.#host.kill()
  }

  /** The worker has ended a task. */
  ended(task: number, after: After): void {
    this.posted.delete(task)
    this.tasks++
    this.after = after
    const [ms] = after
    this.#average += (ms - this.#average) / (ms > this.#average ? 2 : 8)
  }

  /** Hears what it has told without waking this process. Returns whether there was anything. */
  hearNow(): boolean {
    const { lastNews } = this
    this.#hearRest(this.#pipe as unknown as Pipe<News>)
    return this.lastNews !== lastNews
  }

  async #listen(pipe: Pipe<News>): Promise<void> {
    const listener = this.#listener
    void this.#host.ended.then(ending => {
      this.#hearRest(pipe)
      this.state = 'gone'
      listener.hasEnded(this, ending)
      this.#pipe.close()
      this.#memory.close()
    })
    try {
      for (;;) {
        let news: News | undefined = await pipe.recv(UNREF)
        for (; news !== undefined; news = pipe.tryRecv()) this.#hear(news)
        listener.isQuiet()
      }
    } catch (error) {
      // What it sends can't be understood any more.
      if (!hasCode(error, 'ERR_ENDED', 'ERR_PEER_DIED', 'ERR_CLOSED')) this.kill()
    }
  }

  /** What is there now. */
  #hearRest(pipe: Pipe<News>): void {
    try {
      for (let news = pipe.tryRecv(); news !== undefined; news = pipe.tryRecv()) this.#hear(news)
    } catch {
      // It was killed.
    }
  }

  #hear(news: News): void {
    const listener = this.#listener
    this.lastNews = now()
    this.isSlow = false
    if (news[0] === 'ready') {
      this.readyAt = now()
      if (this.state === 'starting') this.state = 'ready'
      listener.isReady(this)
    } else listener.hears(this, news)
  }
}

class TaskOfWorker implements Posting {
  readonly #worker: PoolWorker
  readonly #board: Board
  readonly #task: number

  constructor(worker: PoolWorker, board: Board, task: number) {
    this.#worker = worker
    this.#board = board
    this.#task = task
  }

  get isRunning(): boolean {
    return this.#board.isRunning(this.#task)
  }

  takeBack(): boolean {
    if (!this.#board.takeBack(this.#task)) return false
    const { posted } = this.#worker
    const job = posted.get(this.#task) as Job
    posted.delete(this.#task)
    job.posting = undefined
    return true
  }

  abort(reason: Wire): void {
    this.#worker.send(['abort', this.#task, reason])
  }

  kill(): void {
    if (this.#board.condemn(this.#task)) this.#worker.kill()
  }
}
