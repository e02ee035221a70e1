import { nativeWake } from '../native/index.js'

// All asynchronous waits of this environment: who is called when a doorbell rings, and how long the process stays for it.

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

/** The addon calls when somebody rang, and every 100 ms while anything is pending. */
function wake(): void {
  const [ticked, ...points] = nativeWake.due()
  for (const point of points) queues.get(point)?.serveWaiters()
  for (const look of watchers) look(ticked === 1)
  if (!ticked) return
  for (const queue of queues.values()) queue.tick()
  if (pending === 0) tell(false)
}

/** Has the queue called when somebody rings for it. */
export function listen(point: number, queue: Listening): void {
  queues.set(point, queue)
}

export function unlisten(point: number): void {
  queues.delete(point)
}

/** Has `look` called whenever somebody rings or 100 ms have passed; the function returned ends that. */
export function watch(look: (ticked: boolean) => void): () => void {
  watchers.add(look)
  return () => watchers.delete(look)
}

/** Counts one more pending wait; unless it is `unref`, the process stays for it. */
export function begin(unref: boolean): void {
  if (!isStarted) nativeWake.startReactor(wake)
  isStarted = true
  pending++
  if (!unref) kept++
  tell(true)
}

/** Counts one pending wait less. The reactor goes on until its next tick: another wait often follows at once. */
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
