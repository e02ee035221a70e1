/** Chooses an integer from 0 to `limit` - 1. */
export type Below = (limit: number) => number

/** Chooses other numbers in each run. */
export const below: Below = limit => Math.floor(Math.random() * limit)

/** Mulberry32: chooses the same numbers for the same seed. */
export function random(seed: number): Below {
  let state = seed
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }
}
