import { CrossmemError } from '../errors.js'
import { clearTimeout, setTimeout } from '../wait/index.js'
import { cannotStart, workerDied } from './death.js'
import { publishExit, publishReady, publishSettle, publishSubmit } from './diagnostics.js'
import type { PoolEvents } from './events.js'
import type { Ending, StartHost } from './host.js'
import { type Call, Job, type Owner, type Runner } from './job.js'
import { keepAlive } from './keeper.js'
import { Ledger } from './ledger.js'
import { Lobby } from './lobby.js'
import type { Setup } from './messages.js'
import { memoryOf } from './onlookers.js'
import type { CheckedPool } from './options.js'
import { errorFrom, settle, tell } from './outcome.js'
import { Parcel } from './parcel.js'
import { Patrol } from './patrol.js'
import type { PoolStats } from './stats.js'
import { stopInTime } from './stop-in-time.js'
import { WaitingLine } from './waiting.js'
import { wireOf } from './wire.js'
import { PoolWorker, type Told } from './worker.js'

/** How many workers in a row may end before they are ready: by themselves, and by a signal. */
const FAILED_STARTS = { exit: 3, signal: 10 }

/** A place for a worker, and the tasks whose key leads there. */
interface Seat {
  worker: PoolWorker | undefined
  readonly keyed: WaitingLine<Job>
}

/** Tells of an event of the pool. */
export type Emit = <Name extends keyof PoolEvents>(name: Name, ...args: PoolEvents[Name]) => void

/** Gives tasks to workers, and brings their results back. */
export class Dispatcher implements Runner, Owner {
  readonly #options: CheckedPool
  readonly #setup: Setup
  readonly #start: StartHost
  readonly #name: string
  /** Its name in the domain. */
  readonly #domainName: string
  readonly #emit: Emit
  readonly #ledger = new Ledger()
  readonly #seats: Seat[]
  /** All workers that haven't ended, those that leave included. */
  readonly #workers = new Set<PoolWorker>()
  readonly #waiting = new WaitingLine<Job>()
  /** Tasks that aren't settled. */
  readonly #jobs = new Set<Job>()
  #lastJob = 0
  #started = 0
  #failedStarts = { exit: 0, signal: 0 }
  /** What a worker said about why it can't start. */
  readonly #refusals = new Map<PoolWorker, unknown>()
  #isScheduled = false
  #isClosed = false
  /** Why no task is run any more. */
  #failure: { reason: unknown } | undefined
  readonly #lobby: Lobby
  readonly #patrol: Patrol
  #hasEnded: () => void = () => undefined
  /** Resolves when the pool is closed and its last worker has ended. */
  readonly ended: Promise<void>

  constructor(
    name: string,
    domainName: string,
    options: CheckedPool,
    setup: Setup,
    start: StartHost,
    emit: Emit,
  ) {
    this.#name = name
    this.#domainName = domainName
    this.#emit = emit
    this.#options = options
    this.#setup = setup
    this.#start = start
    this.#seats = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      keyed: new WaitingLine<Job>(),
    }))
    this.#lobby = new Lobby(options.maxQueue)
    this.#patrol = new Patrol(this.#workers, options.minWorkers < options.workers, {
      isSlow: worker => this.#slowDown(worker),
      changed: worker => this.#stoppedOrContinued(worker),
      isIdle: (worker, ms) => this.#dismissIdle(worker, ms),
    })
    this.ended = new Promise(resolve => (this.#hasEnded = resolve))
    this.#startWorkers()
  }

  get workers(): number {
    return this.#options.workers
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  submit(call: Call): Job {
    const job = new Job(++this.#lastJob, call, this)
    this.#jobs.add(job)
    publishSubmit(this.#name, job)
    keepAlive(1)
    stopInTime(job)
    this.#accept(job)
    return job
  }

  settled(job: Job): void {
    this.#jobs.delete(job)
    this.#ledger.settled(job)
    publishSettle(this.#name, job)
    keepAlive(-1)
    if (this.#isClosed && this.#jobs.size === 0) this.#dismiss()
  }

  stop(job: Job, reason: unknown): void {
    if (job.outcome || job.stopped) return
    job.stopped = { reason }
    const { posting } = job
    if (!posting && !this.#lineOf(job).remove(job)) this.#lobby.remove(job)
    if (!posting || posting.takeBack()) {
      job.reject(reason)
      this.#schedule()
      return
    }
    posting.abort(wireOf(reason))
    const timer = setTimeout(() => posting.kill(), this.#options.grace)
    job.atEnd(() => clearTimeout(timer))
  }

  stats(): PoolStats {
    return this.#ledger.stats(this.#jobs.size, [...this.#workers], this.#options.kind === 'thread')
  }

  close(): void {
    this.#isClosed = true
    if (this.#jobs.size === 0) this.#dismiss()
  }

  /** Ends all at once. */
  terminate(reason: unknown): void {
    this.#isClosed = true
    this.#failure ??= { reason }
    for (const worker of this.#workers) worker.kill()
    for (const job of [...this.#jobs]) if (!job.outcome) job.reject(job.stopped?.reason ?? reason)
    this.#dismiss()
  }

  #accept(job: Job): void {
    const { signal } = job.call.options
    if (this.#failure) job.reject(this.#failure.reason)
    else if (this.#isClosed)
      job.reject(new CrossmemError('ERR_CLOSED', 'the pool was closed and takes no more tasks'))
    else if (signal?.aborted) this.stop(job, signal.reason)
    else if (!this.#lobby.keepsOut(job, this.#waitingTasks())) this.#enter(job)
  }

  #enter(job: Job): void {
    if (!this.#pack(job)) return
    this.#lineOf(job).add(job)
    this.#schedule()
  }

  /** How many tasks wait in the pool. */
  readonly #waitingTasks = (): number =>
    this.#seats.reduce((sum, { keyed }) => sum + keyed.length, this.#waiting.length)

  /** Whether as many tasks wait as may. */
  get isFull(): boolean {
    return this.#lobby.isFull(this.#waitingTasks())
  }

  #pack(job: Job): boolean {
    try {
      // A worker that dies may have changed what it shares: the next one shall get what was sent.
      const { args, parcel, options } = job.call
      const { share, retries } = this.#options
      job.parcel = parcel ?? new Parcel(args, share && (options.retries ?? retries) === 0)
      return true
    } catch (error) {
      job.reject(error)
      return false
    }
  }

  #lineOf(job: Job): WaitingLine<Job> {
    const { key } = job.call.options
    return key === undefined ? this.#waiting : (this.#seats[hash(key) % this.#seats.length] as Seat).keyed
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    this.#give(false)
    this.#give(true)
    for (const worker of this.#workers) worker.rouse()
    for (const job of this.#lobby.letIn(this.#waitingTasks)) this.#enter(job)
    if (this.#lobby.isDrained(this.#waitingTasks())) this.#emit('drain')
    this.#startWorkers()
    this.#patrol.begin()
  }

  /** Gives each worker as many tasks as it may have, the least loaded ones first. */
  #give(toSlow: boolean): void {
    let mayGive = true
    for (let load = this.#leastLoad(toSlow); mayGive; load++) {
      mayGive = false
      for (const seat of this.#seats) {
        const { worker } = seat
        if (!worker || worker.isSlow !== toSlow || worker.room <= 0) continue
        const line = firstOf(this.#waiting, seat.keyed)
        if (line.length === 0) continue
        mayGive = true
        if (worker.posted.size <= load) worker.post(line.takeFirst() as Job)
      }
    }
  }

  /** How many tasks those workers have that have the fewest. */
  #leastLoad(ofSlow: boolean): number {
    let least = Number.POSITIVE_INFINITY
    for (const { worker } of this.#seats) {
      if (worker && worker.isSlow === ofSlow && worker.room > 0) least = Math.min(least, worker.posted.size)
    }
    return least
  }

  /** Starts workers for tasks that wait, up to the most; without tasks, up to the least. */
  #startWorkers(): void {
    if (this.#failure || (this.#isClosed && this.#jobs.size === 0)) return
    let free = this.#seats.filter(({ worker }) => worker?.state === 'starting').length
    let running = this.#seats.filter(({ worker }) => worker).length
    for (const seat of this.#seats) {
      if (seat.worker) continue
      const isWanted =
        seat.keyed.length > 0 || this.#waiting.length > free || running < this.#options.minWorkers
      if (!isWanted) continue
      try {
        seat.worker = this.#startWorker()
      } catch (error) {
        this.terminate(error)
        return
      }
      free++
      running++
    }
  }

  #startWorker(): PoolWorker {
    const name = `${this.#name}-${++this.#started}`
    const worker = new PoolWorker(
      name,
      memoryOf(this.#domainName, name),
      this.#setup,
      this.#start,
      {
        isReady: ({ name, pid }) => {
          this.#forgetFailures()
          publishReady(this.#name, { name, pid })
          this.#emit('ready', { name, pid })
          this.#schedule()
        },
        hears: (from, news) => this.#hear(from, news),
        hasEnded: (from, ending) => this.#bury(from, ending),
        isQuiet: () => this.#dispatch(),
      },
      this.#options.maxTasksPerWorker,
    )
    this.#workers.add(worker)
    return worker
  }

  #hear(worker: PoolWorker, news: Told): void {
    if (news[0] === 'refused') {
      this.#refusals.set(worker, errorFrom(news[1]))
      return
    }
    const task = news[1]
    const job = worker.posted.get(task)
    if (!job) return
    const { forward } = job.call
    if (news[0] === 'progress') {
      if (forward) forward(news)
      else tell(job, news)
      return
    }
    worker.ended(task, news[3])
    this.#forgetFailures()
    this.#ledger.ran(job, news[3][0])
    const isHeld = news[0] === 'returned' && news[4]
    const release = (): void => worker.send(['release', task])
    if (forward && news[0] === 'returned' && !job.outcome && !job.stopped) {
      forward(news, isHeld ? release : undefined)
      job.fulfill(undefined)
    } else {
      if (!job.outcome) settle(job, news)
      if (isHeld) release()
    }
    this.#recycle(worker)
  }

  #forgetFailures(): void {
    this.#failedStarts = { exit: 0, signal: 0 }
  }

  /** Whether no more workers are started: too many in a row have ended before they were ready. */
  #hasFailedTooOften({ signal }: Ending): boolean {
    const how = signal === null ? 'exit' : 'signal'
    return ++this.#failedStarts[how] >= FAILED_STARTS[how]
  }

  #recycle(worker: PoolWorker): void {
    const [, keeps, rss] = worker.after
    const { maxTasksPerWorker, maxRss } = this.#options
    if (keeps || (worker.tasks < maxTasksPerWorker && rss <= maxRss)) return
    this.#leave(worker)
  }

  /** The worker ends after the task that it runs, if any; others may begin those behind it. */
  #leave(worker: PoolWorker): void {
    if (worker.state === 'leaving') return
    worker.state = 'leaving'
    this.#takeBackFrom(worker)
    worker.send(['end'])
    for (const seat of this.#seats) if (seat.worker === worker) seat.worker = undefined
  }

  #takeBackFrom(worker: PoolWorker): void {
    for (const job of [...worker.posted.values()]) {
      if (job.posting?.takeBack()) this.#lineOf(job).add(job)
    }
  }

  /** A worker has ended. Tasks that it had not begun go to others. */
  #bury(worker: PoolWorker, ending: Ending): void {
    this.#workers.delete(worker)
    this.#ledger.buried(worker)
    for (const seat of this.#seats) if (seat.worker === worker) seat.worker = undefined
    const refusal = this.#refusals.get(worker)
    this.#refusals.delete(worker)
    for (const job of worker.posted.values()) {
      const wasRunning = job.posting?.isRunning
      job.posting = undefined
      if (job.outcome) continue
      if (wasRunning) this.#mourn(worker, job, ending)
      else this.#lineOf(job).add(job)
    }
    worker.posted.clear()
    this.#tellOfEnd(worker, ending)
    if (this.#isClosed && this.#workers.size === 0 && (this.#failure || this.#jobs.size === 0))
      this.#hasEnded()
    const isOver = this.#failure !== undefined || (this.#isClosed && this.#jobs.size === 0)
    if (worker.readyAt === undefined && !isOver && this.#hasFailedTooOften(ending)) {
      const { exit, signal } = this.#failedStarts
      this.terminate(cannotStart(worker.name, exit + signal, ending, refusal))
    } else this.#schedule()
  }

  #tellOfEnd({ name, pid }: PoolWorker, { exitCode, signal }: Ending): void {
    const end = { name, pid, exitCode, signal }
    publishExit(this.#name, end)
    this.#emit('exit', end)
  }

  /** A worker died inside a task. */
  #mourn(worker: PoolWorker, job: Job, ending: Ending): void {
    job.attempts++
    if (job.stopped) job.reject(job.stopped.reason)
    else if (job.attempts > (job.call.options.retries ?? this.#options.retries)) {
      job.reject(workerDied(job, worker.name, worker.pid, ending))
    } else this.#lineOf(job).add(job)
  }

  /** Others may run what it hasn't begun. */
  #slowDown(worker: PoolWorker): void {
    // It may have told of tasks, and be long in the one after them.
    if (worker.hearNow()) {
      this.#dispatch()
      return
    }
    worker.isSlow = true
    this.#takeBackFrom(worker)
    for (const job of worker.posted.values()) tellBegun(job)
    this.#schedule()
  }

  #stoppedOrContinued(worker: PoolWorker): void {
    const { name, pid, isStopped } = worker
    this.#emit(isStopped ? 'stopped' : 'continued', { name, pid })
    if (isStopped) {
      this.#takeBackFrom(worker)
      if (this.#options.stopped === 'kill') killStopped(worker)
    }
    this.#schedule()
  }

  #dismissIdle(worker: PoolWorker, ms: number): void {
    const [, keeps] = worker.after
    const { idleTimeout, minWorkers } = this.#options
    if (worker.state !== 'ready' || keeps || ms < idleTimeout) return
    if (this.#seats.filter(seat => seat.worker).length > minWorkers) this.#leave(worker)
  }

  /** No task follows. */
  #dismiss(): void {
    if (this.#workers.size === 0) this.#hasEnded()
    for (const worker of [...this.#workers]) this.#leave(worker)
  }
}

function tellBegun(job: Job): void {
  const { begun } = job.call
  if (!begun || job.isKnownToRun || !job.posting?.isRunning) return
  job.isKnownToRun = true
  begun()
}

/** A worker that is inside a task is killed in that task; one that isn't has none to lose. */
function killStopped(worker: PoolWorker): void {
  if (worker.posted.size === 0) worker.kill()
  for (const { posting } of worker.posted.values()) posting?.kill()
}

/** The line whose first task goes first. */
function firstOf(one: WaitingLine<Job>, other: WaitingLine<Job>): WaitingLine<Job> {
  if (!other.first) return one
  return one.first && one.first.place < other.first.place ? one : other
}

/** FNV-1a. */
function hash(key: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < key.length; i++) value = Math.imul(value ^ key.charCodeAt(i), 0x01000193)
  return value >>> 0
}
