import { hasCode } from '../errors.js'
import { channels, messageFlags, nativeMessages, nativeQueues, PAD_BYTES, pad } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import { allocate, copyOut, type Sink, type Source } from './transport.js'

const { SPILLED } = messageFlags
const { elsewhere } = pad
// Bound here: what is imported is read through accessors of two modules at each use.
const { pushMessage, popMessage, pushMessages, popMessages } = nativeMessages

/** The channels of a queue's waits: for a message, for room, for the end of all tasks. */
export const { MESSAGE, ROOM, FINISH } = channels

/**
 * Above this length, memory is allocated only after the queue was found to have so many bytes of
 * the message.
 */
const UNCHECKED_BYTES = 1 << 20

/**
 * Copies the message that was taken, by what the pad says of it. If that fails, the message is put
 * back for other readers.
 */
export function copyTaken(object: SharedObject): Uint8Array {
  const [offset = 0, length = 0, flags = 0, chunk = 0] = elsewhere
  try {
    const isSpilled = (flags & SPILLED) !== 0
    if (isSpilled && length > UNCHECKED_BYTES) nativeQueues.checkSpilled(object.handle, chunk, length)
    const message = allocate(length, object.name)
    if (!isSpilled) copyOut(object, offset, message)
    else nativeQueues.readMessage(object.handle, chunk, offset, true, message)
    return message
  } catch (error) {
    if (hasCode(error, 'ERR_CORRUPT')) nativeMessages.freeMessage(object.handle, chunk)
    else nativeMessages.putMessageBack(object.handle, chunk)
    throw error
  }
}

/** The way into a queue. */
export function queueSink(object: SharedObject, messageBytes: number): Sink {
  const { handle } = object
  return {
    object,
    channel: ROOM,
    most: Math.min(messageBytes, PAD_BYTES),
    put: (length, mode) => pushMessage(handle, length, mode),
    putMany: count => pushMessages(handle, count),
    putLarge: (message, mode) => nativeQueues.pushLargeMessage(handle, message, mode),
  }
}

/** The way out of a queue. */
export function queueSource(object: SharedObject): Source {
  const { handle } = object
  return {
    object,
    channel: MESSAGE,
    take: mode => popMessage(handle, mode),
    takeMany: most => popMessages(handle, most),
    takeElsewhere: () => {
      const chunk = elsewhere[3] as number
      const message = copyTaken(object)
      nativeMessages.freeMessage(handle, chunk)
      return message
    },
  }
}
