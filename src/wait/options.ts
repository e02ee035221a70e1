import { CrossmemError } from '../errors.js'
import { checkBoolean, checkOptions, isAbortSignal, type OptionNames, show } from '../util/index.js'
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

/** The names of the options of a blocking wait. */
export const SYNC_WAIT_OPTIONS: OptionNames<SyncWaitOptions> = { timeout: true }
/** The names of the options of a wait. */
export const WAIT_OPTIONS: OptionNames<WaitOptions> = { ...SYNC_WAIT_OPTIONS, signal: true, unref: true }

/** `{ timeout }`, checked; in milliseconds. */
export const checkTimeout = (options: SyncWaitOptions | undefined): number =>
  timeoutOf(checkOptions(options, SYNC_WAIT_OPTIONS))

/** `{ timeout, signal, unref }`, checked. */
export function checkWait(options: WaitOptions | undefined): {
  timeout: number
  signal?: AbortSignal
  unref: boolean
} {
  const checked = checkOptions(options, WAIT_OPTIONS)
  const { signal, unref = false } = checked
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new CrossmemError('ERR_INVALID_ARG', `signal is an AbortSignal, not ${show(signal)}`)
  }
  return { unref: checkBoolean('unref', unref), timeout: timeoutOf(checked), signal }
}

/** Refuses what a wait would refuse, for calls that make an attempt before they wait. */
export function checkBeforeAttempt(options: WaitOptions | undefined): void {
  if (options !== undefined) throwIfAborted(checkWait(options).signal)
}

/** As `checkBeforeAttempt`, for calls that block. */
export function checkBeforeAttemptSync(options: SyncWaitOptions | undefined): void {
  if (options !== undefined) checkTimeout(options)
}

function timeoutOf({ timeout = Number.POSITIVE_INFINITY }: SyncWaitOptions): number {
  if (typeof timeout === 'number' && timeout >= 0) return timeout
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `timeout is a number of milliseconds from 0 up, not ${show(timeout)}`,
  )
}

export const timedOut = (doing: string, timeout: number): CrossmemError =>
  new CrossmemError('ERR_TIMEOUT', `${doing}: timed out after ${timeout} ms`)
