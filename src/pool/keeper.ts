import { LONGEST_TIMER, setInterval } from '../wait/index.js'

let timer: NodeJS.Timeout | undefined
let reasons = 0

/** Counts the reasons of all pools to keep this process alive: one more, or one less. */
export function keepAlive(change: 1 | -1): void {
  timer ??= setInterval(() => undefined, LONGEST_TIMER)
  reasons += change
  if (reasons > 0) timer.ref()
  else timer.unref()
}
