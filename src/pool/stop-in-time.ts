import { clearTimeout, offAbort, onAbort, setTimeout, timedOut } from '../wait/index.js'
import type { Job } from './job.js'

/** Longer times would make a timer end at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** Stops a task when its time is over or its signal aborts, unless it has ended. */
export function stopInTime(job: Job): void {
  const { signal, timeout } = job.call.options
  const stop = (reason: unknown): void => job.stop(reason)
  let timer: NodeJS.Timeout | undefined
  if (timeout < Number.POSITIVE_INFINITY) {
    const late = (): void => stop(timedOut(`task ${job.id} (${job.call.run})`, timeout))
    timer = setTimeout(late, Math.min(timeout, LONGEST_TIMER))
  }
  if (signal) onAbort(signal, stop)
  job.ends.add(() => {
    clearTimeout(timer)
    if (signal) offAbort(signal, stop)
  })
}
