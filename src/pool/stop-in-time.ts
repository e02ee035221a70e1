import { clearTimeout, offAbort, onAbort, setTimeout, timedOut } from '../wait/index.js'
import type { Job } from './job.js'

/** Stops a task when its time is over or its signal aborts, unless it has ended. */
export function stopInTime(job: Job): void {
  const { signal, timeout } = job.call.options
  if (!signal && timeout === Number.POSITIVE_INFINITY) return
  const stop = (reason: unknown): void => job.stop(reason)
  let timer: NodeJS.Timeout | undefined
  if (timeout < Number.POSITIVE_INFINITY) {
    const late = (): void => stop(timedOut(`task ${job.id} (${job.call.run})`, timeout))
    timer = setTimeout(late, timeout)
  }
  if (signal) onAbort(signal, stop)
  job.atEnd(() => {
    clearTimeout(timer)
    if (signal) offAbort(signal, stop)
  })
}
