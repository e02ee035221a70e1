import { CrossmemError } from '../errors.js'
import { Guard, type Lender } from '../locks/index.js'
import { nativeFileLocks } from '../native/index.js'
import { checkBoolean } from '../util/index.js'
import { type checkWait, offAbort, onAbort, timedOut } from '../wait/index.js'

/** How to open the file. */
export interface FileLockOpenOptions {
  /** Make the file if there is none. Default: true. */
  create?: boolean
  /** Permissions of a file that is made, less the process's umask; Windows has none. Default: 0o666. */
  mode?: number
}

/** Which bytes to lock, and how. The file need not have them. */
export interface FileLockRange {
  /** Others may hold the same bytes shared, and none exclusively. Default: false, nobody else may. */
  shared?: boolean
  /** The first byte. Default: 0. */
  start?: number
  /** How many bytes; 0 is to the end of the file, wherever that will be. Default: 0. */
  length?: number
}

/** A checked range. @internal */
export type Range = Required<FileLockRange>

/** Bytes that a FileLock holds, until `release()`, or until the FileLock is closed. */
export class FileLockGuard extends Guard {
  readonly shared: boolean
  /** The first byte. */
  readonly start: number
  /** How many bytes; 0 is to the end of the file, wherever that will be. */
  readonly length: number
  /** As the addon numbers it. @internal */
  readonly number: number

  /** @internal */
  constructor(file: LockFile, number: number, range: Range) {
    if (!(file instanceof LockFile)) {
      throw new CrossmemError('ERR_INVALID_ARG', 'get one from lock, lockSync or tryLock of a FileLock')
    }
    super(file, false)
    this.number = number
    this.shared = range.shared
    this.start = range.start
    this.length = range.length
  }
}

/** Files that were collected without `close()` are closed, unless they have locks: those are held to the end. */
const collected = new FinalizationRegistry<number>(handle => nativeFileLocks.forgetFileLock(handle))

/** The open file under a FileLock and its guards, and those who wait in this thread, in order. */
export class LockFile implements Lender<FileLockGuard> {
  readonly path: string
  readonly #handle: number
  readonly #waiting = new Set<Waiter>()
  readonly #held = new Set<FileLockGuard>()
  #isWaking = false
  isClosed = false

  constructor(path: string, options: FileLockOpenOptions | undefined) {
    const { create = true, mode = 0o666 } = options ?? {}
    checkBoolean('create', create)
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
      throw new CrossmemError('ERR_INVALID_ARG', `mode is a number from 0 to 0o7777, not ${String(mode)}`)
    }
    this.path = path
    this.#handle = nativeFileLocks.openFileLock(path, create, mode)
    collected.register(this, this.#handle, this)
  }

  get locking(): string {
    return `locking ${this.path}`
  }

  /** Tries for `slice` milliseconds. `undefined`: someone holds it; `heldHere` is called if that is this file. */
  try(range: Range, slice = 0, heldHere?: (path: string) => void): FileLockGuard | undefined {
    if (this.isClosed) throw this.#closed()
    const number = nativeFileLocks.tryFileLock(this.#handle, range.start, range.length, range.shared, slice)
    if (number < 0) heldHere?.(this.path)
    if (number <= 0) return undefined
    const guard = new FileLockGuard(this, number, range)
    this.#held.add(guard)
    return guard
  }

  /** Frees the bytes of a guard, but none that another one holds shared too. */
  release(guard: FileLockGuard): void {
    this.#held.delete(guard)
    nativeFileLocks.releaseFileLock(this.#handle, guard.number)
    this.wake()
  }

  abandon(guard: FileLockGuard): void {
    this.#held.delete(guard)
  }

  enqueue(wish: Wish): void {
    const waiter = new Waiter(this, wish)
    this.#waiting.add(waiter)
    waiter.look()
  }

  /** Whether someone came before `waiter` who wants what is in its way. */
  isBehind(waiter: Waiter): boolean {
    for (const other of this.#waiting) {
      if (other === waiter) break
      if (conflict(other.range, waiter.range)) return true
    }
    return false
  }

  /** `waiter` has what it wants, or gave up: those behind it move on. */
  remove(waiter: Waiter): void {
    this.#waiting.delete(waiter)
    this.wake()
  }

  /** Lets those look who wait for one of us. Whom that lets go lets go only those who come later in the same loop. */
  wake(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    for (const waiter of this.#waiting) if (waiter.isQueued) waiter.look()
    this.#isWaking = false
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    collected.unregister(this)
    nativeFileLocks.closeFileLock(this.#handle)
    for (const guard of this.#held) guard.abandon()
    for (const waiter of this.#waiting) waiter.giveUp(this.#closed())
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `the lock of ${this.path} was closed; open it again to use it`)
  }
}

/** What a `lock()` asked for. */
export interface Wish extends ReturnType<typeof checkWait> {
  range: Range
  resolve(guard: FileLockGuard): void
  reject(reason: unknown): void
}

/** Longest pause between two looks, and longest timer there is. In milliseconds. */
const LONGEST_NAP = 16
const LONGEST_TIMER = 2 ** 31 - 1

/** A pending `lock()`. It looks whenever its timer ends, or when one of this file's is out of the way. */
class Waiter {
  readonly range: Range
  /** It waits for one of this file's own, who will wake it; else for another process, and must look for itself. */
  isQueued = false
  readonly #file: LockFile
  readonly #wish: Wish
  readonly #deadline: number
  readonly #abort = (reason: unknown): void => this.giveUp(reason)
  #timer: NodeJS.Timeout | undefined
  #nap = 1

  constructor(file: LockFile, wish: Wish) {
    this.range = wish.range
    this.#file = file
    this.#wish = wish
    this.#deadline = performance.now() + wish.timeout
    if (wish.signal) onAbort(wish.signal, this.#abort)
  }

  look(): void {
    this.isQueued = this.#file.isBehind(this)
    let guard: FileLockGuard | undefined
    try {
      const heldHere = () => {
        this.isQueued = true
      }
      if (!this.isQueued) guard = this.#file.try(this.range, 0, heldHere)
    } catch (error) {
      return this.giveUp(error)
    }
    const left = this.#deadline - performance.now()
    if (guard) this.#end(() => this.#wish.resolve(guard))
    else if (left <= 0) this.giveUp(timedOut(this.#file.locking, this.#wish.timeout))
    else this.#sleep(left)
  }

  giveUp(reason: unknown): void {
    this.#end(() => this.#wish.reject(reason))
  }

  #sleep(left: number): void {
    clearTimeout(this.#timer)
    const nap = this.isQueued ? LONGEST_TIMER : this.#nap
    if (!this.isQueued) this.#nap = Math.min(2 * nap, LONGEST_NAP)
    this.#timer = setTimeout(() => this.look(), Math.min(nap, Math.ceil(left)))
    if (this.#wish.unref) this.#timer.unref()
  }

  #end(settle: () => void): void {
    clearTimeout(this.#timer)
    const { signal } = this.#wish
    if (signal) offAbort(signal, this.#abort)
    settle()
    this.#file.remove(this)
  }
}

function conflict(a: Range, b: Range): boolean {
  const end = (range: Range) => (range.length ? range.start + range.length : Number.POSITIVE_INFINITY)
  return !(a.shared && b.shared) && a.start < end(b) && b.start < end(a)
}
