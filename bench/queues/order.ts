import type { Payload } from './messages.js'

export interface Order {
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

export const lineOf = ({ kind, payload, batch, count, first, shares }: Order): string =>
  `${kind} ${payload} ${batch} ${count} ${first} ${shares}`.trimEnd()

export function orderOf(line: string): Order {
  const [kind, payload, batch, count, first, shares] = line.split(' ') as [Order['kind'], ...string[]]
  return {
    kind,
    payload: payload === 'object' ? payload : Number(payload),
    batch: Number(batch),
    count: Number(count),
    first: Number(first),
    shares: shares?.split(',').map(Number) ?? [],
  }
}
