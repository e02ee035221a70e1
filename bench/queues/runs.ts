// What the two ends of a queue do in a run, whatever the queue is.
import { nanoseconds, quantile } from '../harness/measure.js'
import { inbox, outbox, type Parcel, type Payload } from './messages.js'

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

/** The size of every ring whose size one can choose: four of the largest messages at least. */
export const ringBytes = (largest: number): number => Math.max(1 << 20, 4 * (largest + 64))

/** One of the two ends. What blocks its thread returns no promise. */
export interface End {
  /** A promise if there is something to wait for before the next one. */
  send(parcel: Parcel): Promise<unknown> | void
  /** Hands over all that comes, until `take` has had the last one. */
  receive(order: Order, take: (parcel: Parcel) => boolean): Promise<void> | void
}

export async function produce(end: End, { payload, batch, count, first }: Order): Promise<void> {
  const make = outbox(payload, batch, first)
  for (let sent = 0; sent < count; sent += batch) {
    const free = end.send(make())
    if (free) await free
  }
}

/** All messages of that many who send equally many. */
export async function consume(end: End, order: Order, senders = 1): Promise<void> {
  await end.receive(order, inbox(order.payload, order.count, senders))
}

/** How long such shares of the trips took at most. */
export async function ping(end: End, order: Order): Promise<number[]> {
  const [make, take] = [outbox(order.payload, 1), inbox(order.payload, order.count)]
  const took: number[] = []
  let start = 0
  const send = (): void => {
    const message = make()
    start = nanoseconds()
    void end.send(message)
  }
  send()
  await end.receive(order, message => {
    took.push(nanoseconds() - start)
    const isLast = take(message)
    if (!isLast) send()
    return isLast
  })
  return order.shares.map(share => quantile(took, share))
}

export async function pong(end: End, order: Order): Promise<void> {
  let came = 0
  await end.receive(order, message => {
    void end.send(message)
    return ++came === order.count
  })
}

/** For ends that hear by events what comes: hands it to whoever receives now. */
export class Arrivals {
  #take: (parcel: Parcel) => boolean = () => {
    throw new Error('a message came that nobody expects')
  }
  #done: () => void = () => {}

  arrived(parcel: Parcel): void {
    if (this.#take(parcel)) this.#done()
  }

  receive(take: (parcel: Parcel) => boolean): Promise<void> {
    return new Promise(done => {
      this.#take = take
      this.#done = done
    })
  }
}
