import * as addon from './addon.js'
import { member } from './call.js'

/** Locks by any name: the requests of the domain. */
export const nativeNamedLocks = {
  openLocks: member(addon.openLocks),
  requestLock: member(addon.requestLock),
  endLockRequest: member(addon.endLockRequest),
  lockNews: member(addon.lockNews),
  queryLocks: member(addon.queryLocks),
}
