import * as addon from './addon.js'
import { member, visitor } from './call.js'

/** How JavaScript learns that a doorbell rang. */
export const nativeWake = {
  startReactor: member(addon.startReactor),
  setWaiting: visitor(addon.setWaiting),
  due: visitor(addon.due),
}
