import * as addon from './addon.js'
import { member } from './call.js'

/** Updates and snapshots of arrays. */
export const nativeArrays = {
  attachGuard: member(addon.attachGuard),
  beginUpdate: member(addon.beginUpdate),
  giveUpBeginning: member(addon.giveUpBeginning),
  endUpdate: member(addon.endUpdate),
  giveUpUpdate: member(addon.giveUpUpdate),
  snapshot: member(addon.snapshot),
}
