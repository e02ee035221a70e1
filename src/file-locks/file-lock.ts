import { fileURLToPath } from 'node:url'
import { CrossmemError, thrownHere } from '../errors.js'
import { within } from '../locks/index.js'
import {
  checkBoolean,
  checkOptions,
  dispose,
  type InspectionArguments,
  inspection,
  isURL,
  type OptionNames,
  show,
  showAs,
  stays,
} from '../util/index.js'
import {
  checkWait,
  SYNC_WAIT_OPTIONS,
  type SyncWaitOptions,
  throwIfAborted,
  WAIT_OPTIONS,
  type WaitOptions,
  waitSync,
} from '../wait/index.js'
import {
  type FileLockGuard,
  type FileLockOpenOptions,
  type FileLockRange,
  OpenFile,
  RANGE_OPTIONS,
  type Range,
} from './open-file.js'

/** Which bytes to lock, and how long to block this thread at most. */
export interface FileLockSyncOptions extends FileLockRange, SyncWaitOptions {}

/** Which bytes to lock, how long to wait, and what ends the wait earlier. */
export interface FileLockOptions extends FileLockRange, WaitOptions {}

const LOCK_SYNC_OPTIONS: OptionNames<FileLockSyncOptions> = { ...RANGE_OPTIONS, ...SYNC_WAIT_OPTIONS }
const LOCK_OPTIONS: OptionNames<FileLockOptions> = { ...RANGE_OPTIONS, ...WAIT_OPTIONS }

/**
 * Locks on bytes of a file, which exclude those of C's `fcntl(F_SETLK)` and Python's `fcntl.lockf`,
 * so that all these programs can share a file. They don't exclude `flock`, which Linux keeps apart.
 * The locks are advisory: they stop only programs that lock, too. On Windows (`LockFileEx`) other
 * programs can't write locked bytes, nor read exclusively locked ones.
 *
 * Each FileLock opens the file anew, so two of them exclude each other even in one thread. If a
 * process ends in any way, the system frees its locks. Closing other descriptors of the file frees
 * none.
 *
 * The system doesn't tell a waiter that another process released a lock: the waiter tries again
 * after 1 ms, then less often, at last every 16 ms. There is no order among processes. Don't delete
 * or replace the file: a process that opens its successor locks another file.
 *
 * @example
 * ```js
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { FileLock } from 'crossmem'
 *
 * const path = join(tmpdir(), 'crossmem-file-lock-example.lock')
 * const [file, other] = [FileLock.open(path), FileLock.open(path)]
 * const guard = await file.lock({ timeout: 1000 })
 * console.log(other.tryLock()) // undefined
 * guard.release()
 * file.close()
 * other.close()
 * ```
 */
export class FileLock implements Disposable {
  /** The path of the file, as it was opened. */
  readonly path: string
  readonly #file: OpenFile

  private constructor(file: OpenFile) {
    if (!(file instanceof OpenFile)) throw new CrossmemError('ERR_INVALID_ARG', 'make one with FileLock.open')
    this.path = file.path
    this.#file = file
  }

  /**
   * Opens a file to lock its bytes; its contents stay as they are. A shared lock takes permission
   * to read the file, any other lock permission to write it.
   *
   * @param path a plain file, as a path or a `file:` URL
   * @throws {CrossmemError} ERR_NOT_FOUND: there is no such file, or with `create` no such
   *   directory. ERR_PERMISSION: the process may neither read nor write the file. ERR_INVALID_ARG:
   *   an argument is refused, or `path` is no plain file. ERR_NO_SPACE: the disk is full.
   *   ERR_LIMIT: too many files are open. ERR_OS: the system refuses it for another reason
   */
  static open(path: string | URL, options?: FileLockOpenOptions): FileLock {
    return new FileLock(new OpenFile(checkPath(path), options))
  }

  /**
   * Waits for the lock without blocking the event loop. Calls of one FileLock for bytes that
   * overlap are served in order.
   *
   * @returns the guard, which releases the lock
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_CLOSED: the FileLock is
   *   closed. ERR_INVALID_ARG: an option is refused. ERR_PERMISSION: the file's permissions allow
   *   no such lock. ERR_UNSUPPORTED: the system can't lock this file
   * @throws the signal's reason, if `signal` is aborted
   */
  async lock(options?: FileLockOptions): Promise<FileLockGuard> {
    const { timeout, signal, unref, ...bytes } = checkOptions(options, LOCK_OPTIONS)
    const [range, wait] = [checkRange(bytes), checkWait({ timeout, signal, unref })]
    throwIfAborted(wait.signal)
    try {
      return await new Promise((resolve, reject) => this.#file.enqueue({ range, ...wait, resolve, reject }))
    } catch (error) {
      throw wait.signal?.aborted && error === wait.signal.reason ? error : thrownHere(error)
    }
  }

  /**
   * Waits for the lock, and blocks this thread meanwhile. Does not queue behind a pending `lock()`.
   *
   * @returns the guard, which releases the lock
   * @throws {CrossmemError} ERR_DEADLOCK: this FileLock holds bytes that are in the way, and can't
   *   release them while this thread waits. ERR_TIMEOUT: `timeout` ms have passed. ERR_CLOSED: the
   *   FileLock is closed. ERR_INVALID_ARG: an option is refused. ERR_PERMISSION: the file's
   *   permissions allow no such lock. ERR_UNSUPPORTED: the system can't lock this file
   */
  lockSync(options?: FileLockSyncOptions): FileLockGuard {
    const { timeout, ...bytes } = checkOptions(options, LOCK_SYNC_OPTIONS)
    const range = checkRange(bytes)
    return waitSync(slice => this.#file.try(range, slice, refuseDeadlock), this.#file.locking, { timeout })
  }

  /**
   * Takes the lock if no other process, and no guard of this FileLock, is in the way. Never waits,
   * and does not queue behind a pending `lock()`.
   *
   * @returns the guard, or `undefined`
   * @throws {CrossmemError} ERR_CLOSED: the FileLock is closed. ERR_INVALID_ARG: an option is
   *   refused. ERR_PERMISSION: the file's permissions allow no such lock. ERR_UNSUPPORTED: the
   *   system can't lock this file
   */
  tryLock(options?: FileLockRange): FileLockGuard | undefined {
    return this.#file.try(checkRange(options))
  }

  /**
   * Waits for the lock as `lock` does, runs `act`, and releases the lock when the result of `act`
   * is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `lock`. ERR_INVALID_ARG: `act` is no function
   * @throws what `act` throws
   */
  withLock<Result>(
    act: (guard: FileLockGuard) => Result | Promise<Result>,
    options?: FileLockOptions,
  ): Promise<Result> {
    return within(() => this.lock(options), act)
  }

  /**
   * Releases all locks of this FileLock, rejects its pending `lock()` calls with ERR_CLOSED, and
   * closes the file. Idempotent.
   */
  close(): void {
    this.#file.close()
  }

  /** Shows the path and how many guards hold bytes in `console.log`, or that the file is closed. */
  [inspection](...how: InspectionArguments): string {
    const { path } = this
    if (this.#file.isClosed) return showAs('FileLock (closed)', { path }, ...how)
    return showAs('FileLock', { path, held: this.#file.held }, ...how)
  }

  /** Closes the FileLock; `using` calls this. */
  [dispose](): void {
    this.close()
  }
}

stays(FileLock, 'a lock on a file has no name in the domain; send the path, and open it there')

function refuseDeadlock(path: string): never {
  throw new CrossmemError(
    'ERR_DEADLOCK',
    `this FileLock holds bytes of ${path} that are in the way; release them first, or await lock()`,
  )
}

function checkPath(path: unknown): string {
  try {
    if (isURL(path)) return fileURLToPath(path)
  } catch (cause) {
    throw new CrossmemError('ERR_INVALID_ARG', `path is not the URL of a file: ${(cause as Error).message}`, {
      cause,
    })
  }
  if (typeof path === 'string' && path !== '') return path
  throw new CrossmemError('ERR_INVALID_ARG', 'path is a string that is not empty, or a file: URL')
}

/** `{ shared, start, length }`, checked. */
function checkRange(options: FileLockRange | undefined): Range {
  const { shared = false, start = 0, length = 0 } = checkOptions(options, RANGE_OPTIONS)
  checkBoolean('shared', shared)
  for (const [name, value] of Object.entries({ start, length })) {
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new CrossmemError('ERR_INVALID_ARG', `${name} is a whole number from 0 up, not ${show(value)}`)
  }
  return { shared, start, length }
}
