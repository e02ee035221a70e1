// What the two ends of a queue do in a run, the same for all transports.
import { nanoseconds } from '../harness/measure.js'
import { quantile } from '../harness/statistics.js'
import { inbox, outbox } from './messages.js'
import type { Order } from './order.js'
import type { End } from './transport.js'

export async function produce(end: End, { payload, batch, count, first }: Order): Promise<void> {
  const make = outbox(payload, batch, first)
  for (let sent = 0; sent < count; sent += batch) {
    const free = end.send(make())
    if (free) await free
  }
}

/** Receives the messages of all senders, each of which sends equally many. */
export async function consume(end: End, order: Order, senders = 1): Promise<void> {
  await end.receive(order, inbox(order.payload, order.count, senders))
}

/** Returns the quantiles of the trips' times that the order asks for. */
export async function ping(end: End, order: Order): Promise<number[]> {
  const { gap = 0, work = 0 } = order
  const [make, take] = [outbox(order.payload, 1), inbox(order.payload, order.count)]
  const took: number[] = []
  let start = 0
  const send = (): void => {
    const message = make()
    start = nanoseconds()
    compute(work)
    void end.send(message)
  }
  send()
  await end.receive(order, message => {
    took.push(nanoseconds() - start)
    const isLast = take(message)
    if (!isLast) {
      if (gap > 0) setTimeout(send, gap)
      else send()
    }
    return isLast
  })
  return order.shares.map(share => quantile(took, share))
}

export async function pong(end: End, order: Order): Promise<void> {
  let came = 0
  await end.receive(order, message => {
    compute(order.work ?? 0)
    void end.send(message)
    return ++came === order.count
  })
}

/** Other work, for so many microseconds. */
function compute(microseconds: number): void {
  if (microseconds === 0) return
  const end = nanoseconds() + microseconds * 1000
  while (nanoseconds() < end);
}
