import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { isMainThread } from 'node:worker_threads'
import { CrossmemError } from '../errors.js'
import { nativeProcess, shared } from '../native/index.js'
import {
  asyncDispose,
  checkOptions,
  dispose,
  type InspectionArguments,
  inspection,
  showAs,
  stays,
} from '../util/index.js'
import {
  checkTimeout,
  checkWait,
  clearTimeout,
  offAbort,
  onAbort,
  setTimeout,
  throwIfAborted,
  timedOut,
  type WaitOptions,
} from '../wait/index.js'
import { callerOf } from './caller.js'
import { Channel } from './channel.js'
import { currentProcess } from './current.js'
import { pack, unpack } from './handles.js'
import { Handover, launch, whyNotStarted } from './launch.js'
import type { News, Order } from './messages.js'
import {
  type AnyStartOptions,
  type Checked,
  checkStart,
  type FunctionNames,
  type ResultOf,
  type StartOptions,
} from './options.js'
import { sweep } from './sweep.js'

/** What callers of `new Process` don't have. */
const MAKER = Symbol('Process.start')

/** The children of this environment that are alive. */
const children = shared('children', () => new Set<Process>())

/** The processes that this thread started and that are alive. */
export const activeChildren = (): Process[] => [...children]

/**
 * Another process, which runs a function of a module: Python's `multiprocessing.Process`. Handles
 * in its arguments arrive open. If it is a daemon, it ends with the thread that started it, however
 * that ends.
 *
 * @example
 * ```js
 * import { Process, Value } from 'crossmem'
 *
 * const module = new URL('data:text/javascript,export const add = (sum, n) => sum.add(n)')
 * const sum = Value.create(null, 'int32', 40)
 * const child = Process.start(module, { run: 'add', args: [sum, 2] })
 * await child.join()
 * console.log(child.exitCode, sum.value) // 0 42
 * sum.close()
 * ```
 */
export class Process<Result = unknown> implements Disposable, AsyncDisposable {
  /** Its name. */
  readonly name: string
  /** Whether it ends when this thread is gone. */
  readonly isDaemon: boolean
  readonly #child: ChildProcess
  readonly #channel: Channel<Order, News>
  readonly #cwd: string | URL | undefined
  readonly #result: Promise<Result>
  /** Resolves when the process is gone, or was not started. */
  readonly #ended: Promise<void>
  #fulfill: (result: unknown) => void = () => undefined
  #fail: (reason: unknown) => void = () => undefined
  #failedToStart: CrossmemError | undefined
  #hasStarted = false
  #isSettled = false
  #isEnding = false
  /** How many reasons there are to keep this process alive for the child. */
  #reasons = 0
  #timer: NodeJS.Timeout | undefined

  /** @internal */
  private constructor(key: typeof MAKER, options: Checked, handover: Handover | undefined) {
    if (key !== MAKER) {
      throw new CrossmemError('ERR_INVALID_ARG', 'start a process with Process.start, not with new')
    }
    const { child, socket } = launch(options, handover?.descriptor)
    this.name = options.name
    this.isDaemon = options.daemon
    this.#child = child
    this.#cwd = options.cwd
    this.#channel = new Channel(socket, news => this.#hear(news, handover))
    this.#result = new Promise<Result>((resolve, reject) => {
      this.#fulfill = resolve as (result: unknown) => void
      this.#fail = reject
    })
    // The child has told of it on its standard error.
    this.#result.catch(() => undefined)
    void this.#result.then(...both(() => (this.#isSettled = true)))
    this.#ended = new Promise(resolve => {
      child.once('exit', () => resolve())
      child.on('error', error => {
        if (child.pid !== undefined) return
        this.#failedToStart = whyNotStarted(error, this.#cwd)
        resolve()
      })
    })
    children.add(this)
    if (!isMainThread && child.pid !== undefined) nativeProcess.childStarted(child.pid)
    this.#reasons = this.isDaemon ? 0 : 1
    this.#keep()
    if (this.isDaemon) for (const stream of child.stdio) unref(stream)
    void this.#ended.then(() => this.#end(handover))
  }

  /**
   * Starts a process that loads a module and calls one of its exports. Returns at once; what goes
   * wrong in the new process is told by `result`.
   *
   * @param target a URL, a path (a relative one is seen from the file that calls), or the name of a
   *   package
   * @throws {CrossmemError} ERR_INVALID_ARG: an option is refused, or an argument can't be sent.
   *   ERR_BUSY: an end of a pipe among the arguments is in use. ERR_PERMISSION: this process may
   *   start no other. ERR_NOT_FOUND, ERR_LIMIT, ERR_CLOSED: an object among the arguments can't be
   *   opened
   */
  static start(target: string | URL, options?: AnyStartOptions): Process
  /**
   * As above, for a module whose type is given: `run` and `args` are checked, and `result` has the
   * type that the function returns; with a second type argument, the name of the export, exactly
   * that.
   */
  static start<Module extends object, Name extends FunctionNames<Module> = FunctionNames<Module>>(
    target: string | URL,
    ...options: object extends StartOptions<Module, Name>
      ? [options?: StartOptions<Module, Name>]
      : [options: StartOptions<Module, Name>]
  ): Process<ResultOf<Module, Name>>
  static start(target: string | URL, options?: AnyStartOptions): Process {
    const caller = callerOf(Process.start)
    const checked = checkStart(target, options)
    const agent = nativeProcess.agentIdentity()
    const { name, daemon: isDaemon, module, run, share } = checked
    const packed = pack(checked.args, { share, what: 'args' })
    let handover: Handover | undefined
    try {
      if (packed.references.length > 0) handover = new Handover(packed.references)
      const started = new Process(MAKER, checked, handover)
      const parent = { name: currentProcess().name, pid: process.pid, agent, isMainThread }
      void started.#channel.send({
        do: 'start',
        description: { name, isDaemon, parent },
        target: { module, caller, run },
        args: packed.bytes,
        sender: handover?.sender,
        share,
      })
      if (started.pid === undefined) handover?.cancel()
      else if (handover?.descriptor !== undefined) handover.end()
      return started
    } catch (error) {
      handover?.cancel()
      throw error
    } finally {
      // The handover has them now.
      packed.release()
    }
  }

  /** Its process ID; `undefined` if the system started no process. */
  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Whether it was started and hasn't ended. */
  get isAlive(): boolean {
    return this.pid !== undefined && this.exitCode === null && this.signal === null
  }

  /** Its exit code; `null` while it is alive, and if a signal ended it. */
  get exitCode(): number | null {
    return this.pid === undefined ? null : this.#child.exitCode
  }

  /** The signal that ended it; `null` while it is alive, and if it ended by itself. */
  get signal(): NodeJS.Signals | null {
    return this.#child.signalCode
  }

  /** Its standard input; `null` unless it is a pipe. */
  get stdin(): Writable | null {
    return this.#child.stdin
  }

  /** Its standard output; `null` unless it is a pipe. */
  get stdout(): Readable | null {
    return this.#child.stdout
  }

  /** Its standard error; `null` unless it is a pipe. */
  get stderr(): Readable | null {
    return this.#child.stderr
  }

  /**
   * What the function returned, once awaited; handles in it arrive open. If nobody awaits it, a
   * failure goes unnoticed here. Rejects with what the function, or the module while it was loaded,
   * threw. Else with a CrossmemError:
   *
   * - ERR_NOT_FOUND: there is no such module, or no directory `cwd`, or an object among the
   *   arguments was gone
   * - ERR_INVALID_ARG: the module has no such export, or the result can't be sent
   * - ERR_PEER_DIED: the process ended before the function returned
   * - ERR_OS: the system started no process
   */
  get result(): Promise<Result> {
    if (!this.#isSettled) this.#keepUntil(this.#result)
    return this.#result
  }

  /**
   * Waits until the process has ended.
   *
   * @throws {CrossmemError} ERR_TIMEOUT. ERR_INVALID_ARG: an option is refused. ERR_NOT_FOUND,
   *   ERR_OS: it was not started. Or the signal's reason
   */
  async join(options?: WaitOptions): Promise<void> {
    const { timeout, signal, unref } = checkWait(options)
    throwIfAborted(signal)
    if (this.isAlive && timeout === 0) throw timedOut(`joining process "${this.name}"`, timeout)
    let timer: NodeJS.Timeout | undefined
    let stop: (reason: unknown) => void = () => undefined
    const stopped = new Promise<void>((resolve, reject) => {
      stop = reject
      void this.#ended.then(resolve)
      const late = (): void => reject(timedOut(`joining process "${this.name}"`, timeout))
      if (timeout < Number.POSITIVE_INFINITY) timer = setTimeout(late, timeout)
      if (unref) timer?.unref()
      if (signal) onAbort(signal, stop)
    })
    if (!unref) this.#keepUntil(stopped)
    try {
      await stopped
    } finally {
      clearTimeout(timer)
      if (signal) offAbort(signal, stop)
    }
    if (this.#failedToStart) throw this.#failedToStart
  }

  /**
   * Asks the process to end: its `currentProcess().signal` aborts. If it is still alive after
   * `grace` milliseconds, it gets SIGTERM, and after `grace` more SIGKILL. A program that hasn't
   * read that signal yet gets SIGTERM at once. `join()` waits for the end.
   *
   * @param options `grace`: milliseconds, default 1000
   * @throws {CrossmemError} ERR_INVALID_ARG
   */
  terminate(options?: { grace?: number }): void {
    const grace = checkGrace(checkOptions<{ grace?: number }>(options, { grace: true }).grace)
    if (!this.isAlive || this.#isEnding) return
    this.#isEnding = true
    void this.#channel.send({ do: 'terminate' })
    this.#later(grace, () => {
      this.#child.kill('SIGTERM')
      this.#later(grace, () => this.kill())
    })
  }

  /** Kills the process (SIGKILL). `join()` waits until it is gone. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Kills the process at the end of a `using` block. */
  [dispose](): void {
    this.kill()
  }

  /** Terminates the process at the end of an `await using` block, and waits for its end. */
  async [asyncDispose](): Promise<void> {
    this.terminate()
    await this.#ended
  }

  /** Shows name, state and process ID in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    const { name, pid, isAlive, exitCode, signal } = this
    return showAs('Process', isAlive ? { name, pid } : { name, pid, exitCode, signal }, ...how)
  }

  #hear(news: News, handover: Handover | undefined): void {
    if (news.is === 'started') {
      this.#hasStarted = true
      handover?.end()
    } else if (news.is === 'failed') this.#failWith(news.error)
    else {
      try {
        this.#fulfill(unpack(news.value).value)
      } catch (error) {
        this.#fail(error)
      }
      void this.#channel.send({ do: 'release' })
    }
  }

  #failWith(bytes: Uint8Array): void {
    try {
      this.#fail(unpack(bytes).value)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** The process is gone, or was not started. */
  async #end(handover: Handover | undefined): Promise<void> {
    clearTimeout(this.#timer)
    if (!isMainThread && this.pid !== undefined) nativeProcess.childEnded(this.pid)
    children.delete(this as Process)
    if (!this.#hasStarted && !this.#failedToStart) handover?.giveBack()
    // What it had open is given back now, not at the next use of crossmem.
    else if (this.signal) sweep()
    this.#reasons -= this.isDaemon ? 0 : 1
    // What it said before its end may still be on its way.
    if (!this.#failedToStart) await this.#channel.closed
    this.#channel.close()
    this.#fail(this.#failedToStart ?? this.#death())
  }

  #death(): CrossmemError {
    const how = this.signal ? `was killed by ${this.signal}` : `ended with exit code ${this.exitCode}`
    const when = this.#hasStarted ? 'before it had returned a result' : 'before it had opened its arguments'
    return new CrossmemError('ERR_PEER_DIED', `process "${this.name}" (${this.pid}) ${how} ${when}`)
  }

  #later(ms: number, act: () => void): void {
    this.#timer = setTimeout(act, ms)
    if (this.isDaemon) this.#timer.unref()
  }

  #keepUntil(settled: Promise<unknown>): void {
    this.#reasons++
    this.#keep()
    void settled.then(
      ...both(() => {
        this.#reasons--
        this.#keep()
      }),
    )
  }

  #keep(): void {
    const keeps = this.#reasons > 0
    if (keeps) this.#child.ref()
    else this.#child.unref()
    this.#channel.keep(keeps)
  }
}

stays(Process, 'it belongs to the process that started it; send its pid')

const both = (act: () => void): [() => void, () => void] => [act, act]

function unref(stream: unknown): void {
  ;(stream as { unref?(): void } | null)?.unref?.()
}

function checkGrace(grace = 1000): number {
  try {
    return checkTimeout({ timeout: grace })
  } catch {
    throw new CrossmemError('ERR_INVALID_ARG', `grace is a number of milliseconds from 0 up, not ${grace}`)
  }
}
