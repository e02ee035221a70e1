import type { Payload } from './messages.js'

/** What lies between the trips. */
export interface Pace {
  /** Milliseconds from an answer to the next trip, by a timer. Default: none. */
  gap?: number
  /** Microseconds for which each end computes before it sends. Default: 0. */
  work?: number
}

export interface Order extends Pace {
  /**
   * `stream`: messages from the near end to the far end. `trips`: one message to the far end and
   * back, repeatedly. `gather`: messages from all far ends to the near end.
   */
  kind: 'stream' | 'trips' | 'gather'
  payload: Payload
  /** How many messages a call sends. */
  batch: number
  /** How many messages are sent: a multiple of `batch` and of the number of senders. */
  count: number
  /** The number of the first message. */
  first: number
  /** For trips: the quantiles to report, as shares of the trips. Otherwise none. */
  shares: readonly number[]
}

/** Only near ends and far ends in JavaScript know a pace, which comes last. */
export const lineOf = ({ kind, payload, batch, count, first, shares, gap, work }: Order): string => {
  const pace = gap === undefined && work === undefined ? '' : ` ${gap ?? 0} ${work ?? 0}`
  return `${kind} ${payload} ${batch} ${count} ${first} ${shares}${pace}`.trimEnd()
}

export function orderOf(line: string): Order {
  const [kind, payload, batch, count, first, shares, gap, work] = line.split(' ') as [
    Order['kind'],
    ...string[],
  ]
  return {
    kind,
    payload: payload === 'object' ? payload : Number(payload),
    batch: Number(batch),
    count: Number(count),
    first: Number(first),
    shares: shares?.split(',').map(Number) ?? [],
    gap: Number(gap ?? 0),
    work: Number(work ?? 0),
  }
}
