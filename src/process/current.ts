import { domainGroup, domainName, nativeProcess, shared } from '../native/index.js'
import type { AnyHandle } from '../open.js'
import type { Description } from './messages.js'

/** This process, as `currentProcess()` returns it. */
export interface CurrentProcess {
  /** The name that its parent gave it; `'main'` if no `Process.start` started it. */
  readonly name: string
  /** Its process ID. */
  readonly pid: number
  /** Whether it ends when its parent is gone. */
  readonly isDaemon: boolean
  /**
   * Aborts when the parent calls `terminate()`. A program that reads it is expected to end soon
   * after that, and has the `grace` of that call for it. In worker threads it doesn't abort.
   */
  readonly signal: AbortSignal
  /**
   * Keeps a handle open that arrived in the arguments: it isn't closed when the function that the
   * process runs has returned. Returns the handle.
   */
  keep<Handle extends AnyHandle>(handle: Handle): Handle
}

/** The process that started this one, as `parentProcess()` returns it. */
export interface ParentProcess {
  /** Its name; `'main'` if no `Process.start` started it. */
  readonly name: string
  /** Its process ID. */
  readonly pid: number
  /**
   * Whether it lives. If a worker thread started this process: whether that thread lives.
   *
   * @throws {CrossmemError} ERR_OS, ERR_CORRUPT, ERR_PERMISSION: the system refuses to tell
   */
  readonly isAlive: boolean
}

/** What all copies of this package in this environment know of their process. */
const state = shared('process', () => ({
  termination: new AbortController(),
  /** Whether the program asked for the signal, so that it may act on it. */
  hears: false,
  kept: new WeakSet<object>(),
}))

/** What this process was told when it was started; `undefined` if no `Process.start` started it. */
export function description(): Description | undefined {
  const text = nativeProcess.processDescription()
  return text ? (JSON.parse(text) as Description) : undefined
}

/** This process: its name, and what it is asked by its parent. */
export function currentProcess(): CurrentProcess {
  const { name = 'main', isDaemon = false } = description() ?? {}
  return {
    name,
    pid: process.pid,
    isDaemon,
    get signal() {
      state.hears = true
      return state.termination.signal
    },
    keep(handle) {
      state.kept.add(handle)
      return handle
    },
  }
}

/** The process whose `Process.start` started this one; `undefined` if none did. */
export function parentProcess(): ParentProcess | undefined {
  const parent = description()?.parent
  if (!parent) return undefined
  const { name, pid, agent } = parent
  return {
    name,
    pid,
    get isAlive() {
      return nativeProcess.agentLives(domainName(), domainGroup(), agent)
    },
  }
}

export const isKept = (handle: object): boolean => state.kept.has(handle)

/** Aborts the program's signal. Returns whether the program knows the signal. */
export function abortSignal(): boolean {
  state.termination.abort()
  return state.hears
}
