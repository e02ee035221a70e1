// Rows for the sections about queues.
import { type Contender, type Row, samplesInTurn, summary } from '../harness/measure.js'
import type { Payload } from '../queues/messages.js'
import type { Order } from '../queues/order.js'
import type { Pair } from '../queues/pair.js'
import type { QueuePeer } from '../queues/peers.js'

export const BATCH = 256
export const CPU = 'CPU time'
export const P99 = '99th percentile'

/** Nanoseconds per message, one way. */
export async function streams(
  peers: QueuePeer[],
  payload: Payload,
  batch: number,
  quick: boolean,
): Promise<Row[]> {
  const taken = await samples(peers, { kind: 'stream', payload, batch, first: 0, shares: [] }, quick)
  return taken.map(([peer, runs]) => rowOf(peer, runs, [CPU]))
}

/** Nanoseconds per round trip: a sample is the median of the trips of a run. */
export async function trips(peers: QueuePeer[], payload: Payload, quick: boolean): Promise<Row[]> {
  const taken = await samples(
    peers,
    { kind: 'trips', payload, batch: 1, first: 0, shares: [0.5, 0.99] },
    quick,
  )
  return taken.map(([peer, runs]) => rowOf(peer, runs, [P99, CPU]))
}

/** Nanoseconds per message that one end receives from all others. */
export async function gathered(peers: QueuePeer[], payload: Payload, quick: boolean): Promise<Row[]> {
  const taken = await samples(peers, { kind: 'gather', payload, batch: 1, first: 0, shares: [] }, quick)
  return taken.map(([peer, runs]) => rowOf(peer, runs, []))
}

/** A row of the first figures of all runs, with the medians of the other figures. */
function rowOf(peer: Pick<Row, 'name' | 'does'>, runs: number[][], others: string[]): Row {
  const column = (i: number): number[] => runs.map(figures => figures[i] as number)
  const also = others.map((what, i) => [what, summary(peer, column(i + 1)).median])
  return { ...summary(peer, column(0)), also: Object.fromEntries(also) }
}

async function samples(
  peers: QueuePeer[],
  order: Omit<Order, 'count'>,
  quick: boolean,
): Promise<[Contender<number[]>, number[][]][]> {
  const contenders = peers.map(({ name, does, pair }) => ({ name, does, sample: runs(pair, order, quick) }))
  return [...(await samplesInTurn(contenders, { rounds: quick ? 1 : 5 }))]
}

/** A sample is a run of enough messages to take some time; the first call finds their number. */
function runs(pair: Pair, order: Omit<Order, 'count'>, quick: boolean): () => Promise<number[]> {
  let count: number | undefined
  return async () => {
    count ??= await enough(pair, order, quick ? 1 : 25)
    return pair.run({ ...order, count })
  }
}

async function enough(pair: Pair, order: Omit<Order, 'count'>, milliseconds: number): Promise<number> {
  const most = order.payload === 'object' ? MOST : Math.min(MOST, MOST_BYTES / order.payload)
  let count = Math.max(order.batch, 64)
  // Two runs must take long enough, since a single one may take long for other reasons.
  for (let long = 0; long < 2 && count * 2 <= most; ) {
    const start = performance.now()
    await pair.run({ ...order, count })
    if (performance.now() - start >= milliseconds) long++
    else [long, count] = [0, count * 2]
  }
  return count
}

/** Some transports keep messages in memory until they are received. */
const MOST = 1 << 20
const MOST_BYTES = 1 << 26
