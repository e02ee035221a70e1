import * as addon from './addon.js'
import { member, visitor } from './call.js'

/**
 * The domain as a whole. Only `collectGarbage` and `awaitName` make this environment
 * join it.
 */
export const nativeDomain = {
  awaitName: member(addon.awaitName),
  awaitNoName: visitor(addon.awaitNoName),
  collectGarbage: member(addon.collectGarbage),
  findDomains: visitor(addon.findDomains),
  inspectDomain: visitor(addon.inspectDomain),
  observeObjects: visitor(addon.observeObjects),
  rehearseCreate: visitor(addon.rehearseCreate),
  sweepDomain: visitor(addon.sweepDomain),
}
