import type { Below } from '../helpers/random.js'
import type { Life } from './actor.js'

/** How one ends that exits by itself. */
export const EXIT_CODE = 7
/** What one says that ends by an error. */
export const AS_PLANNED = 'ends as planned'

const ways = ['exit', 'throw', 'reject'] as const

/** A way and a time to end; or none, for most. */
export function planEnd(below: Below): Life['end'] {
  const way = ways[below(12)]
  return way && { way, after: below(300) }
}

/**
 * Ends this thread some time later, in the midst of its work; a thread that blocks, at its next
 * turn.
 */
export function endAsPlanned({ end }: Life): void {
  if (!end) return
  setTimeout(() => {
    if (end.way === 'exit') process.exit(EXIT_CODE)
    const error = new Error(AS_PLANNED)
    if (end.way === 'throw') throw error
    void Promise.reject(error)
  }, end.after)
}
