/** So many empty tasks are in flight at once. */
export const IN_FLIGHT = 64

/** A map makes so many chunks for each worker, as Python's Pool does. */
export const CHUNKS = 4

/** What a pool hasn't done after so many milliseconds isn't waited for. */
export const BOUND = 60_000

/** If a caller doesn't know of a death after so many milliseconds, that counts as never. */
export const NEVER = 2000

/** A pool that isn't closed after so many milliseconds is left as it is. */
export const CLOSED = 1000
