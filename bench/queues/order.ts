import type { Payload } from './messages.js'

export interface Order {
  /**
   * `stream`: messages from the near end to the far one. `trips`: one message there and back, again and again.
   * `gather`: messages from all far ends to the near one.
   */
  kind: 'stream' | 'trips' | 'gather'
  payload: Payload
  /** So many are sent in one go. */
  batch: number
  /** A multiple of `batch`, and of those who send. */
  count: number
  /** The number of the first message. */
  first: number
  /** Of trips: the shares of them that are over within the times that are asked for. Of a stream: none. */
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
