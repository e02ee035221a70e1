import * as addon from './addon.js'
import { member } from './call.js'
import { raw2, raw3 } from './raw.js'

/** Queues of records: taking an end and giving it back, where that takes a call. */
export const nativeRecordQueues = {
  enterRecords: raw3('enterRecords'),
  leaveRecords: raw2('leaveRecords'),
  wakeRecords: raw2('wakeRecords'),
  endRecords: member(addon.endRecords),
  recordsHaveEnded: member(addon.recordsHaveEnded),
  countRecords: member(addon.countRecords),
  giveUpRecords: member(addon.giveUpRecords),
}
