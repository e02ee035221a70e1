import { shared } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import { clearTimeout, setTimeout } from '../wait/index.js'

// Memory that was sent, for the next array of the same length: to fill it again costs less than
// half of what new memory costs. The registry says whether a receiver still has it, dead or alive.

/** So much is kept at most. */
const MOST_BYTES = 1 << 28
const MOST = 32

/** Without a use for so many milliseconds, nothing is kept. */
const IDLE = 1000

const spares = shared('spares', () => ({
  /** The oldest first. */
  segments: [] as Segment[],
  bytes: 0,
  timer: undefined as NodeJS.Timeout | undefined,
}))

/** Fills a kept segment of that length of which there is no other handle. */
export function refillSpare(contents: Uint8Array): Segment | undefined {
  const index = spares.segments.findIndex(
    segment => segment.byteLength === contents.length && segment.refill(contents),
  )
  return index < 0 ? undefined : take(index)
}

/** Keeps a segment for a while, or closes it. */
export function keepSpare(segment: Segment): void {
  if (segment.byteLength > MOST_BYTES) {
    segment.close()
    return
  }
  spares.segments.push(segment)
  spares.bytes += segment.byteLength
  while (spares.segments.length > MOST || spares.bytes > MOST_BYTES) take(0).close()
  clearTimeout(spares.timer)
  spares.timer = setTimeout(dropSpares, IDLE)
  spares.timer.unref()
}

/** Gives back all that is kept. Returns whether there was anything. */
export function dropSpares(): boolean {
  const hadAny = spares.segments.length > 0
  while (spares.segments.length > 0) take(0).close()
  return hadAny
}

function take(index: number): Segment {
  const [segment] = spares.segments.splice(index, 1) as [Segment]
  spares.bytes -= segment.byteLength
  return segment
}
