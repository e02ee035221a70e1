import { fileURLToPath } from 'node:url'
import { CrossmemError } from './errors.js'
import { native } from './native.js'
import { checkWait, type SyncWaitOptions, timedOut, type WaitOptions, waitSync } from './wait.js'

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

/** Which bytes to lock, and how long to block this thread. */
export interface FileLockSyncOptions extends FileLockRange, SyncWaitOptions {}

/** Which bytes to lock, how long to wait, and what ends the wait earlier. */
export interface FileLockOptions extends FileLockRange, WaitOptions {}

/**
 * Advisory locks on a file's bytes, as C's `fcntl(F_SETLK)` and Python's `fcntl.lockf` take them, so that all of them
 * can take part in one protocol (not `flock`, which Linux keeps apart). Advisory: they stop only those who ask, but on
 * Windows (`LockFileEx`) others can't write what is locked, nor read what is locked exclusively.
 *
 * Each FileLock opens the file for itself, so two of them exclude each other in one process and one thread too. The
 * system frees the locks of a process that ends, however it does; closing other descriptors of the file changes
 * nothing. Nobody tells a waiter when another process lets go: it looks after 1 ms, then less often, at last every
 * 16 ms; among processes there is no order. Leave the file where it is: who opens its successor locks another file.
 */
export class FileLock implements Disposable {
  /** As it was opened. */
  readonly path: string
  readonly #file: LockFile

  private constructor(file: LockFile) {
    if (!(file instanceof LockFile)) throw new CrossmemError('ERR_INVALID_ARG', 'make one with FileLock.open')
    this.path = file.path
    this.#file = file
  }

  /**
   * Opens a file to lock its bytes; for reading and writing, but its contents stay as they are.
   *
   * @param path a plain file, or a `file:` URL of one
   * @throws {CrossmemError} ERR_NOT_FOUND (with `create`: no such directory), ERR_PERMISSION, ERR_INVALID_ARG (such as
   *   a directory), ERR_NO_SPACE, ERR_LIMIT
   */
  static open(path: string | URL, options?: FileLockOpenOptions): FileLock {
    return new FileLock(new LockFile(checkPath(path), options))
  }

  /**
   * Locks, as soon as others let it. Within one FileLock, those who wait for bytes that overlap get them in the order
   * in which they asked, each when the one before has released. No thread is blocked meanwhile.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED (also when it is closed meanwhile), ERR_INVALID_ARG,
   *   ERR_UNSUPPORTED (the system has no locks for this file)
   */
  async lock(options?: FileLockOptions): Promise<FileLockGuard> {
    const [range, wait] = [checkRange(options), checkWait(options)]
    wait.signal?.throwIfAborted()
    return new Promise((resolve, reject) => this.#file.enqueue({ range, ...wait, resolve, reject }))
  }

  /**
   * Locks, and blocks this thread until others let it; does not queue behind a pending `lock()`.
   *
   * @throws {CrossmemError} ERR_DEADLOCK (this FileLock holds what is in the way, and can't release it while this
   *   thread waits), ERR_TIMEOUT, ERR_CLOSED, ERR_INVALID_ARG, ERR_UNSUPPORTED
   */
  lockSync(options?: FileLockSyncOptions): FileLockGuard {
    const range = checkRange(options)
    const attempt = (slice: number) => this.#file.try(range, slice, refuseDeadlock)
    // It returns nothing but what is truthy.
    return waitSync(attempt, this.#file.locking, options) as FileLockGuard
  }

  /**
   * Locks, or says at once that someone holds what is in the way: another process, or this FileLock itself. Does not
   * queue behind a pending `lock()`.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_INVALID_ARG, ERR_UNSUPPORTED
   */
  tryLock(options?: FileLockRange): FileLockGuard | undefined {
    return this.#file.try(checkRange(options))
  }

  /** Frees all its locks, refuses those who wait (ERR_CLOSED), and closes the file. Idempotent. */
  close(): void {
    this.#file.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Bytes that a FileLock holds, until `release()`, or until the FileLock is closed. */
export class FileLockGuard implements Disposable, AsyncDisposable {
  readonly shared: boolean
  /** The first byte. */
  readonly start: number
  /** How many bytes; 0 is to the end of the file, wherever that will be. */
  readonly length: number
  readonly #file: LockFile
  readonly #number: number
  #released = false

  /** @internal */
  constructor(file: LockFile, number: number, range: Required<FileLockRange>) {
    if (!(file instanceof LockFile)) {
      throw new CrossmemError('ERR_INVALID_ARG', 'get one from lock, lockSync or tryLock of a FileLock')
    }
    this.#file = file
    this.#number = number
    this.shared = range.shared
    this.start = range.start
    this.length = range.length
  }

  /** Whether it no longer holds anything. */
  get isReleased(): boolean {
    return this.#released || this.#file.isClosed
  }

  /**
   * Frees these bytes, but none that another guard of the same FileLock holds shared too.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP (released before, or the FileLock was closed)
   */
  release(): void {
    if (this.isReleased) {
      const how = this.#released ? 'was released before' : 'went when its FileLock was closed'
      throw new CrossmemError('ERR_LOST_OWNERSHIP', `the lock ${how}; release each once`)
    }
    this.#file.release(this.#number)
    this.#released = true
    this.#file.wake()
  }

  [Symbol.dispose](): void {
    if (!this.isReleased) this.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]()
  }
}

/** Files that were collected without `close()` are closed, unless they have locks: those are held to the end. */
const collected = new FinalizationRegistry<number>(handle => native.forgetFileLock(handle))

/** The open file under a FileLock and its guards, and those who wait in this thread, in order. */
class LockFile {
  readonly path: string
  readonly #handle: number
  readonly #waiting = new Set<Waiter>()
  #isWaking = false
  isClosed = false

  constructor(path: string, options: FileLockOpenOptions | undefined) {
    const { create = true, mode = 0o666 } = options ?? {}
    if (typeof create !== 'boolean') throw new CrossmemError('ERR_INVALID_ARG', 'create is true or false')
    if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777) {
      throw new CrossmemError('ERR_INVALID_ARG', `mode is a number from 0 to 0o7777, not ${String(mode)}`)
    }
    this.path = path
    this.#handle = native.openFileLock(path, create, mode)
    collected.register(this, this.#handle, this)
  }

  get locking(): string {
    return `locking ${this.path}`
  }

  /** Tries for `slice` milliseconds. `undefined`: someone holds it; `heldHere` is called if that is this file. */
  try(
    range: Required<FileLockRange>,
    slice = 0,
    heldHere?: (path: string) => void,
  ): FileLockGuard | undefined {
    if (this.isClosed) throw this.#closed()
    const number = native.tryFileLock(this.#handle, range.start, range.length, range.shared, slice)
    if (number > 0) return new FileLockGuard(this, number, range)
    if (number < 0) heldHere?.(this.path)
    return undefined
  }

  release(number: number): void {
    native.releaseFileLock(this.#handle, number)
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
    native.closeFileLock(this.#handle)
    for (const waiter of this.#waiting) waiter.giveUp(this.#closed())
  }

  #closed(): CrossmemError {
    return new CrossmemError('ERR_CLOSED', `the lock of ${this.path} was closed; open it again to use it`)
  }
}

/** What a `lock()` asked for. */
interface Wish extends ReturnType<typeof checkWait> {
  range: Required<FileLockRange>
  resolve(guard: FileLockGuard): void
  reject(reason: unknown): void
}

/** Longest pause between two looks, and longest timer there is. In milliseconds. */
const LONGEST_NAP = 16
const LONGEST_TIMER = 2 ** 31 - 1

/** A pending `lock()`. It looks whenever its timer ends, or when one of this file's is out of the way. */
class Waiter {
  readonly range: Required<FileLockRange>
  /** It waits for one of this file's own, who will wake it; else for another process, and must look for itself. */
  isQueued = false
  readonly #file: LockFile
  readonly #wish: Wish
  readonly #deadline: number
  readonly #abort = (): void => this.giveUp(this.#wish.signal?.reason)
  #timer: NodeJS.Timeout | undefined
  #nap = 1

  constructor(file: LockFile, wish: Wish) {
    this.range = wish.range
    this.#file = file
    this.#wish = wish
    this.#deadline = performance.now() + wish.timeout
    wish.signal?.addEventListener('abort', this.#abort)
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
    this.#wish.signal?.removeEventListener('abort', this.#abort)
    settle()
    this.#file.remove(this)
  }
}

function conflict(a: Required<FileLockRange>, b: Required<FileLockRange>): boolean {
  const end = (range: Required<FileLockRange>) =>
    range.length ? range.start + range.length : Number.POSITIVE_INFINITY
  return !(a.shared && b.shared) && a.start < end(b) && b.start < end(a)
}

function refuseDeadlock(path: string): never {
  throw new CrossmemError(
    'ERR_DEADLOCK',
    `this FileLock holds bytes of ${path} that are in the way; release them first, or await lock()`,
  )
}

function checkPath(path: unknown): string {
  try {
    if (path instanceof URL) return fileURLToPath(path)
  } catch (cause) {
    throw new CrossmemError('ERR_INVALID_ARG', `not the URL of a file: ${(cause as Error).message}`, {
      cause,
    })
  }
  if (typeof path === 'string' && path !== '') return path
  throw new CrossmemError('ERR_INVALID_ARG', 'path is the path of a file, or a URL')
}

/** `{ shared, start, length }`, checked. */
function checkRange(options: FileLockRange | undefined): Required<FileLockRange> {
  const { shared = false, start = 0, length = 0 } = options ?? {}
  if (typeof shared !== 'boolean') throw new CrossmemError('ERR_INVALID_ARG', 'shared is true or false')
  for (const [name, value] of Object.entries({ start, length })) {
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new CrossmemError('ERR_INVALID_ARG', `${name} is a whole number from 0 up, not ${String(value)}`)
  }
  return { shared, start, length }
}
