import { CrossmemError } from '../errors.js'
import { checkBoolean, isAbortSignal } from '../util/index.js'
import { throwIfAborted } from './aborts.js'

/** How long to block this thread. */
export interface SyncWaitOptions {
  /** Milliseconds; 0 tries once. Default: without limit. */
  timeout?: number
}

/** How long to wait, and what ends the wait earlier. */
export interface WaitOptions extends SyncWaitOptions {
  /**
   * Aborting it ends the wait: the promise rejects with the signal's reason, an `AbortError` unless
   * another is given.
   */
  signal?: AbortSignal
  /**
   * Let the process end although this wait is pending. Default: false, a pending wait keeps it
   * alive as a timer does.
   */
  unref?: boolean
}

/** `{ timeout }`, checked; in milliseconds. */
export function checkTimeout(options: SyncWaitOptions | undefined): number {
  const timeout = options?.timeout ?? Number.POSITIVE_INFINITY
  if (typeof timeout === 'number' && timeout >= 0) return timeout
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `timeout is a number of milliseconds from 0 up, not ${String(timeout)}`,
  )
}

/** `{ timeout, signal, unref }`, checked. */
export function checkWait(options: WaitOptions | undefined): {
  timeout: number
  signal?: AbortSignal
  unref: boolean
} {
  const { signal, unref = false } = options ?? {}
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new CrossmemError('ERR_INVALID_ARG', 'signal is an AbortSignal')
  }
  return { unref: checkBoolean('unref', unref), timeout: checkTimeout(options), signal }
}

/** Refuses what a wait would refuse, for calls that make an attempt before they wait. */
export function checkBeforeAttempt(options: WaitOptions | undefined): void {
  if (options !== undefined) throwIfAborted(checkWait(options).signal)
}

export const timedOut = (doing: string, timeout: number): CrossmemError =>
  new CrossmemError('ERR_TIMEOUT', `${doing}: timed out after ${timeout} ms`)
