import { nativeWake } from '../native/index.js'

// All asynchronous waits of this environment: which of them to serve when its doorbell rings, and
// whether they keep the process alive.

/** Waits that are served when another process rings, and at every tick. */
export interface Listening {
  serveWaiters(): void
  tick(): void
}

const queues = new Map<number, Listening>()
const watchers = new Set<(ticked: boolean) => void>()
let isStarted = false
let pending = 0
let kept = 0
let saysPending = false
let saysKept = false

/** The addon calls this when another agent rang, and every 100 ms while a wait is pending. */
function wake(): void {
  const [ticked, ...points] = nativeWake.due()
  for (const point of points) queues.get(point)?.serveWaiters()
  for (const watcher of watchers) watcher(ticked === 1)
  if (!ticked) return
  for (const queue of queues.values()) queue.tick()
  if (pending === 0) tell(false)
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
  if (!isStarted) nativeWake.startReactor(wake)
  isStarted = true
  pending++
  if (!unref) kept++
  tell(true)
}

/**
 * Counts one pending wait less. The reactor continues until its next tick, since another wait often
 * follows at once.
 */
export function end(unref: boolean): void {
  pending--
  if (!unref) kept--
  tell(saysPending)
}

function tell(isPending: boolean): void {
  const isKept = kept > 0
  if (isPending === saysPending && isKept === saysKept) return
  saysPending = isPending
  saysKept = isKept
  nativeWake.setWaiting(isPending, isKept)
}
