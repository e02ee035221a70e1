import { hasLoop, nativeWake, shared } from '../native/index.js'

// All asynchronous waits of this environment: which of them to serve when its doorbell rings, and
// whether they keep the process alive.

/** Waits that are served when another process rings, and at every tick. */
export interface Listening {
  serveWaiters(): void
  tick(): void
}

const state = shared('reactor', () => ({
  queues: new Map<number, Listening>(),
  watchers: new Set<(ticked: boolean) => void>(),
  pending: 0,
  kept: 0,
  saysPending: false,
  saysKept: false,
}))
const { queues, watchers } = state
let isStarted = false

/**
 * The addon calls this when another agent rang, and every 100 ms while a wait is pending, with the
 * waits to try now.
 */
function wake(ticked: boolean, ...due: number[]): void {
  for (const point of due) queues.get(point)?.serveWaiters()
  for (const watcher of watchers) watcher(ticked)
  if (!ticked) return
  for (const queue of queues.values()) queue.tick()
  if (state.pending === 0) tell(false)
}

/** Serves these waits whenever another agent rings for their number. */
export function listen(point: number, queue: Listening): void {
  queues.set(point, queue)
}

export function unlisten(point: number): void {
  queues.delete(point)
}

/**
 * Calls `watcher` whenever another agent rings and at every tick. Returns the function that ends
 * this.
 */
export function watch(watcher: (ticked: boolean) => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** Counts one pending wait more. Unless it is `unref`, it keeps the process alive. */
export function begin(unref: boolean): void {
  if (!isStarted) start()
  state.pending++
  if (!unref) state.kept++
  tell(true)
}

/**
 * Counts one pending wait less. The reactor continues until its next tick, since another wait often
 * follows at once.
 */
export function end(unref: boolean): void {
  state.pending--
  if (!unref) state.kept--
  tell(state.saysPending)
}

/**
 * The reactor calls this copy from now on, and no other one. This copy serves the waits of both,
 * and outlives a copy that is dropped.
 */
function start(): void {
  nativeWake.startReactor(wake, hasLoop)
  isStarted = true
  state.saysPending = state.saysKept = false
}

function tell(isPending: boolean): void {
  const isKept = state.kept > 0
  if (isPending === state.saysPending && isKept === state.saysKept) return
  state.saysPending = isPending
  state.saysKept = isKept
  nativeWake.setWaiting(isPending, isKept)
}
