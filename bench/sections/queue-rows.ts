// Rows for the sections about queues.
import {
  type Contender,
  type Counts,
  counted,
  type Effort,
  inTurn,
  type Row,
  rowsOf,
} from '../harness/measure.js'
import type { Payload } from '../queues/messages.js'
import type { Order, Pace } from '../queues/order.js'
import type { QueuePeer } from '../queues/peers.js'

export const BATCH = 256
export const CPU = 'CPU time'
export const P99 = '99th percentile'

/** Nanoseconds per message, one way. */
export const streams = async (peers: QueuePeer[], payload: Payload, effort: Effort): Promise<Row[]> =>
  rowsOf(await inTurn(streaming(peers, payload, 1), effort), [CPU])

/** Contenders whose figure is the nanoseconds per message, one way. */
export const streaming = (peers: QueuePeer[], payload: Payload, batch: number): Contender[] =>
  contenders(peers, { kind: 'stream', payload, batch, shares: [] })

/** Nanoseconds per round trip: the figure of a slice is the median of its trips. */
export const trips = async (peers: QueuePeer[], payload: Payload, effort: Effort): Promise<Row[]> =>
  rowsOf(await inTurn(travelling(peers, payload, [0.5, 0.99]), effort), [P99, CPU])

/** Contenders whose figures are the times within which these shares of the trips are complete. */
export const travelling = (
  peers: QueuePeer[],
  payload: Payload,
  shares: readonly number[],
  pace?: Pace,
): Contender[] => contenders(peers, { kind: 'trips', payload, batch: 1, shares, ...pace }, TRIPS)

/** Nanoseconds per message that one end receives from all others. */
export const gathered = async (peers: QueuePeer[], payload: Payload, effort: Effort): Promise<Row[]> =>
  rowsOf(await inTurn(contenders(peers, { kind: 'gather', payload, batch: 1, shares: [] }, SENDERS), effort))

/** A slice has at least so many trips, so that they have a percentile. */
const TRIPS: Counts = { step: 16 }
/** All senders send equally many: a power of two is a number of senders. */
const SENDERS: Counts = { step: 64 }

const contenders = (
  peers: QueuePeer[],
  order: Omit<Order, 'count' | 'first'>,
  counts: Counts = { step: order.batch },
): Contender[] =>
  peers.map(({ name, does, pair }) => ({
    name,
    does,
    slice: counted(count => pair.run({ ...order, first: 0, count }), {
      ...counts,
      most: most(order.payload),
    }),
  }))

/** Some transports keep messages in memory until they are received. */
const most = (payload: Payload): number =>
  payload === 'object' ? MOST : Math.max(1, Math.min(MOST, MOST_BYTES / payload))

const MOST = 1 << 20
const MOST_BYTES = 1 << 26
