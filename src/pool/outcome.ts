import { unpack } from '../process/index.js'
import type { Job } from './job.js'
import type { News, Wire } from './messages.js'
import { fromWire, isPacked } from './wire.js'

/** Tells what a task says while it runs. */
export function tell(job: Job, [, , done, total, note]: Extract<News, ['progress', ...unknown[]]>): void {
  job.tell({ done, total: total ?? undefined, note: fromWire(note).list[0] })
}

/** Settles a task by what its worker says. */
export function settle(job: Job, news: Extract<News, ['returned' | 'failed', ...unknown[]]>): void {
  job.attempts++
  // Objects in a result that is not wanted any more stay closed.
  if (job.stopped) job.reject(job.stopped.reason)
  else if (news[0] === 'failed') job.reject(errorFrom(news[2]))
  else {
    try {
      job.fulfill(resultFrom(job, news[2]))
    } catch (error) {
      job.reject(error)
    }
  }
}

function resultFrom(job: Job, wire: Wire): unknown {
  if (job.call.mode !== 'call') return fromWire(wire).list
  return isPacked(wire) ? unpack(wire).value : wire[0]
}

/** The error that was sent; or why it can't be read. */
export function errorFrom(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes).value
  } catch (error) {
    return error
  }
}
