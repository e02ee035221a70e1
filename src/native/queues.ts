import * as addon from './addon.js'
import { member, visitor } from './call.js'

/** Joining queues, and messages that need conversion. */
export const nativeQueues = {
  takeEnd: member(addon.takeEnd),
  hasEnd: member(addon.hasEnd),
  releaseEnd: visitor(addon.releaseEnd),
  closeEnd: member(addon.closeEnd),
  endIsClosed: member(addon.endIsClosed),
  bytesTowards: member(addon.bytesTowards),
  giveUpChannel: member(addon.giveUpChannel),
  wakePeer: member(addon.wakePeer),
  joinQueue: member(addon.joinQueue),
  pushLargeMessage: member(addon.pushLargeMessage),
  readMessage: member(addon.readMessage),
  checkSpilled: member(addon.checkSpilled),
  addStructure: member(addon.addStructure),
  structures: member(addon.structures),
  endQueue: member(addon.endQueue),
  queueHasEnded: member(addon.queueHasEnded),
  queueSize: member(addon.queueSize),
  joinMessages: member(addon.joinMessages),
  unfinishedMessages: member(addon.unfinishedMessages),
  giveUpQueue: member(addon.giveUpQueue),
  usePad: visitor(addon.usePad) as (buffer: ArrayBuffer) => ArrayBuffer,
}
