import { CrossmemError } from '../errors.js'
import { Guard, type Lender } from '../locks/index.js'
import { fileAnswers, nativeFileLocks } from '../native/index.js'
import {
  checkBoolean,
  checkOptions,
  type InspectionArguments,
  inspection,
  type OptionNames,
  show,
  showAs,
} from '../util/index.js'
import {
  afterTurn,
  type checkWait,
  clearTimeout,
  loopIsStarved,
  now,
  offAbort,
  onAbort,
  setTimeout,
  timedOut,
} from '../wait/index.js'

/** How to open a file that is to be locked. */
export interface FileLockOpenOptions {
  /** Whether to create the file if it doesn't exist. Default: true. */
  create?: boolean
  /**
   * Permissions of a created file, less the process's umask. No effect on Windows. Default: 0o666.
   */
  mode?: number
}

const OPEN_OPTIONS: OptionNames<FileLockOpenOptions> = { create: true, mode: true }

/** Which bytes to lock, and how. They may lie beyond the end of the file. */
export interface FileLockRange {
  /**
   * Whether other holders may lock the same bytes shared, too. It takes permission to read the
   * file; any other lock takes permission to write it. Default: false, the lock excludes all
   * others.
   */
  shared?: boolean
  /** The first byte. Default: 0. */
  start?: number
  /**
   * How many bytes; 0 locks all bytes from `start` on, however long the file becomes. Default: 0.
   */
  length?: number
}

/** The names of these options. */
export const RANGE_OPTIONS: OptionNames<FileLockRange> = { shared: true, start: true, length: true }

/** A checked range. @internal */
export type Range = Required<FileLockRange>

/**
 * Bytes of a file that a FileLock holds, until `release()`, or until the FileLock is closed.
 *
 * @example
 * ```js
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { FileLock } from 'crossmem'
 *
 * const file = FileLock.open(join(tmpdir(), 'crossmem-guard-example.lock'))
 * const guard = await file.lock({ start: 100, length: 10 })
 * console.log(guard.start, guard.length, guard.shared) // 100 10 false
 * guard.release()
 * file.close()
 * ```
 */
export class FileLockGuard extends Guard {
  /** Whether other holders may lock the same bytes shared, too. */
  readonly shared: boolean
  /** The first byte. */
  readonly start: number
  /** How many bytes; 0 stands for all bytes from `start` on. */
  readonly length: number
  /** The addon's number of the lock. @internal */
  readonly number: number

  /** @internal */
  constructor(file: OpenFile, number: number, range: Range) {
    if (!(file instanceof OpenFile)) {
      throw new CrossmemError('ERR_INVALID_ARG', 'get one from lock, lockSync or tryLock of a FileLock')
    }
    super(file, false)
    this.number = number
    this.shared = range.shared
    this.start = range.start
    this.length = range.length
  }

  /** Shows the bytes in `console.log`, or that they were released. */
  override [inspection](...how: InspectionArguments): string {
    const { lockName: path, shared, start, length } = this
    if (path === undefined) return showAs('FileLockGuard (released)', { shared, start, length }, ...how)
    return showAs('FileLockGuard', { path, shared, start, length }, ...how)
  }
}

/**
 * Closes files that were garbage-collected without `close()`, unless they have locks: those stay
 * until exit.
 */
const collected = new FinalizationRegistry<number>(handle => nativeFileLocks.forgetFileLock(handle))

/** The open file of a FileLock, its guards, and the pending `lock()` calls in order. */
export class OpenFile implements Lender<FileLockGuard> {
  readonly path: string
  readonly #handle: number
  readonly #waiting = new Set<Waiter>()
  readonly #held = new Set<FileLockGuard>()
  #isWaking = false
  isClosed = false

  constructor(path: string, options: FileLockOpenOptions | undefined) {
    const { create = true, mode = 0o666 } = checkOptions(options, OPEN_OPTIONS)
    checkBoolean('create', create)
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
      throw new CrossmemError('ERR_INVALID_ARG', `mode is a number from 0 to 0o7777, not ${show(mode)}`)
    }
    this.path = path
    this.#handle = nativeFileLocks.openFileLock(path, create, mode)
    collected.register(this, this.#handle, this)
  }

  get name(): string {
    return this.path
  }

  /** How many guards hold bytes of it. */
  get held(): number {
    return this.#held.size
  }

  get locking(): string {
    return `locking ${this.path}`
  }

  /**
   * Tries for `slice` milliseconds to lock. `undefined` if bytes of the range are held; if this
   * file itself holds them, calls `heldHere`.
   */
  try(range: Range, slice = 0, heldHere?: (path: string) => void): FileLockGuard | undefined {
    if (this.isClosed) throw this.#closed()
    const found = nativeFileLocks.tryFileLock(this.#handle, range.start, range.length, range.shared, slice)
    if (found === fileAnswers.HELD_HERE) heldHere?.(this.path)
    if (found === fileAnswers.HELD_HERE || found === fileAnswers.HELD_ELSEWHERE) return undefined
    const guard = new FileLockGuard(this, found, range)
    this.#held.add(guard)
    return guard
  }

  /** Frees the bytes of a guard, except those that another guard of this file holds shared. */
  release(guard: FileLockGuard): void {
    this.#held.delete(guard)
    nativeFileLocks.releaseFileLock(this.#handle, guard.number)
    this.#wakeSoon()
  }

  abandon(guard: FileLockGuard): void {
    this.#held.delete(guard)
  }

  enqueue(request: LockRequest): void {
    const waiter = new Waiter(this, request)
    this.#waiting.add(waiter)
    waiter.isQueued = true
    this.#wakeSoon(() => waiter.attempt())
  }

  /** Whether an earlier waiter wants bytes that conflict with those of `waiter`. */
  isBehind(waiter: Waiter): boolean {
    for (const other of this.#waiting) {
      if (other === waiter) break
      if (conflict(other.range, waiter.range)) return true
    }
    return false
  }

  /** Takes out a waiter that is done; the waiters behind it try again. */
  remove(waiter: Waiter): void {
    this.#waiting.delete(waiter)
    this.#wakeSoon()
  }

  /**
   * Lets the queued waiters try again. If one is done by that, only waiters behind it can profit,
   * and the same loop reaches them: so a nested call does nothing.
   */
  wake(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    for (const waiter of this.#waiting) if (waiter.isQueued) waiter.attempt()
    this.#isWaking = false
  }

  readonly #wake = (): void => this.wake()

  /**
   * Calls `act`; if the event loop is starved, lets it turn and wakes the queued waiters instead.
   */
  #wakeSoon(act = this.#wake): void {
    if (this.#waiting.size > 0 && loopIsStarved()) afterTurn(this.#wake)
    else act()
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    collected.unregister(this)
    nativeFileLocks.closeFileLock(this.#handle)
    for (const guard of this.#held) guard.abandon()
    for (const waiter of this.#waiting) waiter.fail(this.#closed())
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `the FileLock of ${this.path} was closed; open it again to use it`)
  }
}

/** What a `lock()` call asks for, and how it is answered. */
export interface LockRequest extends ReturnType<typeof checkWait> {
  range: Range
  resolve(guard: FileLockGuard): void
  reject(reason: unknown): void
}

/** The longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 16

/**
 * A pending `lock()`. It tries when its timer ends, and when a lock or a waiter of this file goes.
 */
class Waiter {
  readonly range: Range
  /**
   * Whether a lock or a waiter of this file is in the way, whose end calls `attempt`. Otherwise
   * another process is, and only the timer does.
   */
  isQueued = false
  readonly #file: OpenFile
  readonly #request: LockRequest
  readonly #deadline: number
  readonly #abort = (reason: unknown): void => this.fail(reason)
  #timer: NodeJS.Timeout | undefined
  #pause = 1

  constructor(file: OpenFile, request: LockRequest) {
    this.range = request.range
    this.#file = file
    this.#request = request
    this.#deadline = now() + request.timeout
    if (request.signal) onAbort(request.signal, this.#abort)
  }

  attempt(): void {
    this.isQueued = this.#file.isBehind(this)
    let guard: FileLockGuard | undefined
    try {
      const heldHere = () => {
        this.isQueued = true
      }
      if (!this.isQueued) guard = this.#file.try(this.range, 0, heldHere)
    } catch (error) {
      this.fail(error)
      return
    }
    const left = this.#deadline - now()
    if (guard) this.#end(() => this.#request.resolve(guard))
    else if (left <= 0) this.fail(timedOut(this.#file.locking, this.#request.timeout))
    else this.#sleep(left)
  }

  fail(reason: unknown): void {
    this.#end(() => this.#request.reject(reason))
  }

  #sleep(left: number): void {
    clearTimeout(this.#timer)
    const pause = this.isQueued ? Number.POSITIVE_INFINITY : this.#pause
    if (!this.isQueued) this.#pause = Math.min(2 * pause, LONGEST_PAUSE)
    this.#timer = setTimeout(() => this.attempt(), Math.min(pause, Math.ceil(left)))
    if (this.#request.unref) this.#timer.unref()
  }

  #end(settle: () => void): void {
    clearTimeout(this.#timer)
    const { signal } = this.#request
    if (signal) offAbort(signal, this.#abort)
    settle()
    this.#file.remove(this)
  }
}

function conflict(a: Range, b: Range): boolean {
  const end = (range: Range) => (range.length ? range.start + range.length : Number.POSITIVE_INFINITY)
  return !(a.shared && b.shared) && a.start < end(b) && b.start < end(a)
}
