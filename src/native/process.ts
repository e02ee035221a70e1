import * as addon from './addon.js'
import { member, visitor } from './call.js'

/** Processes that start each other. */
export const nativeProcess = {
  agentIdentity: member(addon.agentIdentity),
  beginHandover: member(addon.beginHandover),
  endHandover: visitor(addon.endHandover),
  endWith: visitor(addon.endWith),
  agentLives: visitor(addon.agentLives),
  childStarted: visitor(addon.childStarted),
  childEnded: visitor(addon.childEnded),
  describeProcess: visitor(addon.describeProcess),
  processDescription: visitor(addon.processDescription),
}
