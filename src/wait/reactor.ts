import { hasLoop, nativeWake, shared, waits } from '../native/index.js'

// All asynchronous waits of this environment: which of them to serve when its doorbell rings, and
// whether they keep the process alive.

/** Waits that are served when another process rings, and at every tick. */
export interface Listening {
  serveWaiters(): void
  tick(): void
}

const { KEPT, LISTENERS, HEEDS_PENDING, HEEDS_KEPT, NUMBERS } = waits

const state = shared('reactor', () => ({
  queues: new Map<number, Listening>(),
  watchers: new Set<(ticked: boolean) => void>(),
  pending: 0,
  /** What `waits` names. */
  memory: new ArrayBuffer(4 * NUMBERS),
}))
const { queues, watchers } = state
/** The reactor reads these, and writes what it heeds. */
const counts = new Uint32Array(state.memory) as Counts
let isStarted = false
/** The reactor hears from `counts` that no wait keeps the process alive any more. */
let readsCounts = false

/** All its elements are there. */
type Counts = Uint32Array & Record<(typeof waits)[keyof typeof waits], number>

/**
 * The addon calls this with the waits to try now: when another agent rang, and at those of its
 * ticks, every 100 ms, at which something may have changed.
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
  countListeners()
}

export function unlisten(point: number): void {
  queues.delete(point)
  countListeners()
}

function countListeners(): void {
  counts[LISTENERS] = queues.size + watchers.size
}

/**
 * Calls `watcher` whenever another agent rings and at every tick. Returns the function that ends
 * this.
 */
export function watch(watcher: (ticked: boolean) => void): () => void {
  watchers.add(watcher)
  countListeners()
  return () => {
    watchers.delete(watcher)
    countListeners()
  }
}

/** Counts one pending wait more. Unless it is `unref`, it keeps the process alive. */
export function begin(unref: boolean): void {
  if (!isStarted) start()
  state.pending++
  if (!unref) counts[KEPT]++
  tell(true)
}

/**
 * Counts one pending wait less. The reactor continues until its next tick, since another wait often
 * follows at once.
 */
export function end(unref: boolean): void {
  state.pending--
  if (!unref) counts[KEPT]--
  if (!readsCounts) tell(counts[HEEDS_PENDING] > 0)
}

/**
 * The reactor calls this copy from now on, and no other one. This copy serves the waits of both,
 * and outlives a copy that is dropped.
 */
function start(): void {
  readsCounts = nativeWake.startReactor(wake, hasLoop, state.memory)
  isStarted = true
  counts[HEEDS_PENDING] = counts[HEEDS_KEPT] = 0
}

function tell(isPending: boolean): void {
  const isKept = counts[KEPT] > 0
  if (isPending === counts[HEEDS_PENDING] > 0 && isKept === counts[HEEDS_KEPT] > 0) return
  nativeWake.setWaiting(isPending, isKept)
}
