import * as addon from './addon.js'
import { member, visitor } from './call.js'

/** The domain as a whole. `inspectDomain` and `rehearseCreate` do not join it. */
export const nativeDomain = {
  collectGarbage: member(addon.collectGarbage),
  inspectDomain: visitor(addon.inspectDomain),
  rehearseCreate: visitor(addon.rehearseCreate),
}
