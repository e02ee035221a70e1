import * as addon from './addon.js'
import { member } from './call.js'

/** Updates and snapshots of arrays. */
export const nativeArrays = {
  attachGuard: member(addon.attachGuard),
  beginUpdate: member(addon.beginUpdate),
  cancelUpdate: member(addon.cancelUpdate),
  endUpdate: member(addon.endUpdate),
  abandonUpdate: member(addon.abandonUpdate),
  snapshot: member(addon.snapshot),
}
