import { CrossmemError, hasCode } from '../errors.js'
import {
  channels,
  elsewhere,
  messageFlags,
  nativeMessages,
  nativeQueues,
  nativeRecords,
  PAD_BYTES,
} from '../native/index.js'
import { type SharedObject, unlessHidden } from '../objects/index.js'
import { FastConsumer, FastProducer } from './fast-ring.js'

const { SPILLED } = messageFlags
const { RECORD_AT, ROOM_AT } = channels

/** Where messages go in, as numbers: see `hot.rs` in the addon. */
export interface Sink {
  readonly object: SharedObject
  /** The channel of waits for room. */
  readonly channel: number
  /** Most bytes of a message that can go over the pad. */
  readonly most: number
  /** Puts in what can be put without a call. */
  readonly fast?: FastProducer
  /** Puts in the first bytes of the pad. */
  put(length: number, mode: number): number
  /** Puts in messages of the pad; how many. */
  putMany(count: number): number
  /** Puts in a message that can't go over the pad. */
  putLarge(message: Uint8Array, mode: number): number
}

/** Where messages come out. */
export interface Source {
  readonly object: SharedObject
  /** The channel of waits for a message. */
  readonly channel: number
  /** Takes out what can be taken without a call. */
  readonly fast?: FastConsumer
  /** Takes a message onto the pad; its length. */
  take(mode: number): number
  /** Takes messages onto the pad; how many. */
  takeMany(most: number): number
  /** Copies and frees the message that a take left elsewhere. */
  takeElsewhere(): Uint8Array
}

/** The channels of a queue's waits: for a message, for room, for the end of all tasks. */
export const { MESSAGE, ROOM, FINISH } = channels

/** A view of a part of the object's segment. */
export const view = ({ segment }: SharedObject, offset: number, length: number): Uint8Array =>
  new Uint8Array(segment.buffer, offset, length)

/** Room for so many bytes is made whatever a queue says, for more only if they are there. */
const UNCHECKED_BYTES = 1 << 20

/** The record that the pad says is elsewhere, copied. */
export const copyRecord = (object: SharedObject): Uint8Array =>
  view(object, elsewhere[0] as number, elsewhere[1] as number).slice()

/** The message whose chunk was taken, as the pad says, copied. If that can't be done now, it is put back for others. */
export function copyTaken(object: SharedObject): Uint8Array {
  const [offset = 0, length = 0, flags = 0, chunk = 0] = elsewhere
  try {
    if ((flags & SPILLED) === 0) return view(object, offset, length).slice()
    if (length > UNCHECKED_BYTES) nativeQueues.checkSpilled(object.handle, offset)
    const message = allocate(length, object.name)
    nativeQueues.readMessage(object.handle, chunk, offset, true, message)
    return message
  } catch (error) {
    if (hasCode(error, 'ERR_CORRUPT', 'ERR_NOT_FOUND')) nativeMessages.freeMessage(object.handle, chunk)
    else nativeMessages.putMessageBack(object.handle, chunk)
    throw error
  }
}

function allocate(length: number, name: string): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (cause) {
    throw new CrossmemError('ERR_CORRUPT', `"${name}" says that a message has ${length} bytes`, { cause })
  }
}

/** Into a queue. */
export function queueSink(object: SharedObject, messageBytes: number): Sink {
  const { handle } = object
  return {
    object,
    channel: ROOM,
    most: Math.min(messageBytes, PAD_BYTES),
    put: (length, mode) => nativeMessages.pushMessage(handle, length, mode),
    putMany: count => nativeMessages.pushMessages(handle, count),
    putLarge: (message, mode) => nativeQueues.pushLargeMessage(handle, message, mode),
  }
}

/** Out of a queue. */
export function queueSource(object: SharedObject): Source {
  const { handle } = object
  return {
    object,
    channel: MESSAGE,
    take: mode => nativeMessages.popMessage(handle, mode),
    takeMany: most => nativeMessages.popMessages(handle, most),
    takeElsewhere: () => {
      const chunk = elsewhere[3] as number
      const message = copyTaken(object)
      nativeMessages.freeMessage(handle, chunk)
      return message
    },
  }
}

/** The channel of the waits for a record at this end, and of those for room for what this end pushes. */
export const forRecord = (end: number): number => RECORD_AT + end
export const forRoom = (end: number): number => ROOM_AT + end

/** Out of one end of a channel, towards the other. */
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
      view(object, elsewhere[0] as number, message.byteLength).set(message)
      return nativeRecords.commitRecord(handle, end, message.byteLength)
    },
  }
}

/** Into one end of a channel, from the other. */
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
