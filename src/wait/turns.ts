import { now, setImmediate } from './clock.js'

// A promise that is settled at once continues its caller before the event loop turns. A program
// that always finds a message or a free lock would keep timers, signals and I/O out for ever. So
// once the loop has had no turn for a while, results wait for one.

/**
 * Milliseconds after which a turn of the loop is requested, and again until results wait for that
 * turn.
 */
const PATIENCE = 5
/** The most calls between two readings of the clock, and the time to aim at, in milliseconds. */
const MOST_CALLS = 8
const OFTEN = 0.5
const SELDOM = 1

let stride = 1
let callsLeft = 0
let readAt = now()
/** When the loop turned last, or a turn was requested. */
let since = readAt
let isRequested = false
let isStarved = false
let afterwards = new Set<() => void>()
let turn: Promise<void> | undefined

/** Whether results have to wait for the event loop. Every call that may have one asks. */
export const loopIsStarved = (): boolean => (--callsLeft > 0 ? isStarved : readClock())

function readClock(): boolean {
  const time = now()
  const took = time - readAt
  if (took > SELDOM) stride = 1
  else if (took < OFTEN && stride < MOST_CALLS) stride *= 2
  callsLeft = stride
  readAt = time
  if (time - since >= PATIENCE) {
    if (isRequested) isStarved = true
    else request(time)
  }
  return isStarved
}

function request(time: number): void {
  isRequested = true
  since = time
  setImmediate(turned)
}

function turned(): void {
  isRequested = isStarved = false
  since = now()
  turn = undefined
  const acts = afterwards
  afterwards = new Set()
  for (const act of acts) act()
}

/** Calls `act`, once, after the next turn of the event loop. */
export function afterTurn(act: () => void): void {
  afterwards.add(act)
  if (!isRequested) request(now())
}

/** Resolves after the next turn of the event loop. */
export function loopTurn(): Promise<void> {
  turn ??= new Promise(afterTurn)
  return turn
}
