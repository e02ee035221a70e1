import { fileURLToPath } from 'node:url'
import { CrossmemError } from '../errors.js'
import { checkBoolean } from '../util/index.js'
import { checkWait, type SyncWaitOptions, type WaitOptions, waitSync } from '../wait/index.js'
import {
  type FileLockGuard,
  type FileLockOpenOptions,
  type FileLockRange,
  LockFile,
  type Range,
} from './open-file.js'

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
    const attempt = (slice: number) => this.#file.try(range, slice, refuseDeadlock) || undefined
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
function checkRange(options: FileLockRange | undefined): Range {
  const { shared = false, start = 0, length = 0 } = options ?? {}
  checkBoolean('shared', shared)
  for (const [name, value] of Object.entries({ start, length })) {
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new CrossmemError('ERR_INVALID_ARG', `${name} is a whole number from 0 up, not ${String(value)}`)
  }
  return { shared, start, length }
}
