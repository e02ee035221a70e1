import { channels, nativeRecords, PAD_BYTES, pad } from '../native/index.js'
import { type SharedObject, unlessHidden } from '../objects/index.js'
import { FastConsumer, FastProducer } from './fast-ring.js'
import { allocate, copyIn, copyOut, type Sink, type Source } from './transport.js'

const { RECORD_AT, ROOM_AT } = channels
const { elsewhere } = pad

/** Copies the record that the pad says is in the segment. */
function copyRecord(object: SharedObject): Uint8Array {
  const record = allocate(elsewhere[1] as number, object.name)
  copyOut(object, elsewhere[0] as number, record)
  return record
}

/**
 * The channel of the waits for a record at this end, and of those for room for what this end
 * pushes.
 */
export const forRecord = (end: number): number => RECORD_AT + end
export const forRoom = (end: number): number => ROOM_AT + end

/** The way from one end of a channel towards the other. */
export function channelSink(object: SharedObject, end: number, mostBytes: number): Sink {
  const { handle } = object
  const most = Math.min(mostBytes, PAD_BYTES)
  return {
    object,
    channel: forRoom(end),
    most,
    fast: unlessHidden(() => new FastProducer(object, 1 - end)),
    put: (length, mode) => nativeRecords.pushRecord(handle, end, length, mode),
    putMany: count => nativeRecords.pushRecords(handle, end, count),
    putLarge: (message, mode) => {
      const status = nativeRecords.reserveRecord(handle, end, message.byteLength, mode)
      if (status < 0) return status
      copyIn(object, elsewhere[0] as number, message)
      return nativeRecords.commitRecord(handle, end, message.byteLength)
    },
  }
}

/** The way into one end of a channel, from the other. */
export function channelSource(object: SharedObject, end: number): Source {
  const { handle } = object
  return {
    object,
    channel: forRecord(end),
    fast: unlessHidden(() => new FastConsumer(object, end)),
    take: mode => nativeRecords.popRecord(handle, end, mode),
    takeMany: most => nativeRecords.popRecords(handle, end, most),
    takeElsewhere: () => {
      const message = copyRecord(object)
      nativeRecords.releaseRecord(handle, end)
      return message
    },
  }
}
