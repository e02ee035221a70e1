export { Holdings } from './holdings.js'
export { asBytes, checkRoom, copyInto, Inbox, isDrained } from './inbox.js'
export { untilEnded, valuesOf } from './iterate.js'
export { Message } from './message.js'
export { checkBytes, hasEnded, isPut, Outbox, putInto } from './outbox.js'
export { Receiver } from './receiver.js'
export { readableOf, writableOf } from './streams.js'
export {
  channelSink,
  channelSource,
  copyTaken,
  FINISH,
  forRecord,
  forRoom,
  MESSAGE,
  queueSink,
  queueSource,
  ROOM,
  type Sink,
  type Source,
  view,
} from './transport.js'
