import { JoinableQueue, MpmcQueue, Queue, SpscQueue } from 'crossmem'

/** What is promised of a message whose reader is killed. */
export type Promised = 'at most once' | 'marked when it comes again' | 'at least once'

export const roles = ['producer', 'consumer'] as const
export type Role = (typeof roles)[number]

/** A queue in a storm. */
export interface Stream {
  kind: 'MpmcQueue' | 'Queue' | 'JoinableQueue' | 'SpscQueue'
  promised: Promised
  /** Roles that a survivor has. */
  survivors: readonly Role[]
}

export const streams: readonly Stream[] = [
  ...(['MpmcQueue', 'Queue', 'JoinableQueue'] as const).flatMap((kind): Stream[] => [
    { kind, promised: 'at most once', survivors: roles },
    { kind, promised: 'marked when it comes again', survivors: roles },
  ]),
  { kind: 'SpscQueue', promised: 'at most once', survivors: ['producer'] },
  { kind: 'SpscQueue', promised: 'at most once', survivors: ['consumer'] },
  { kind: 'SpscQueue', promised: 'at least once', survivors: [] },
]

/** Messages that a queue has room for. */
export const CAPACITY = 24
/** Some parcels are larger. */
const MESSAGE_BYTES = 48
const RING_BYTES = 2048
/** Bytes that fill a parcel, at most. */
export const FILLING = 200

/** A message of that number is the last one of its queue. */
export const LAST = -1

export type Made = MpmcQueue | Queue | JoinableQueue | SpscQueue

export const make = ({ kind, promised }: Stream): Made =>
  kind === 'SpscQueue'
    ? SpscQueue.create(null, { capacity: RING_BYTES })
    : { MpmcQueue, Queue, JoinableQueue }[kind].create(null, {
        capacity: CAPACITY,
        messageBytes: MESSAGE_BYTES,
        redeliver: promised === 'marked when it comes again',
      })

export const title = ({ kind, promised, survivors }: Stream): string =>
  kind === 'SpscQueue'
    ? `${kind}, ${promised}, survivors: ${survivors.join(' and ') || 'none'}`
    : `${kind}, ${promised}`
