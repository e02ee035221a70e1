import * as addon from './addon.js'
import { member, visitor } from './call.js'

/** How JavaScript learns that a doorbell rang. */
export const nativeWake = {
  startReactor: member(addon.startReactor),
  setWaiting: visitor(addon.setWaiting),
}

/**
 * Whether this is Node itself: its event loop is libuv's and sleeps in libuv only. Electron sleeps
 * elsewhere; Bun and Deno have loops of their own.
 */
export const hasLoop: boolean = !['bun', 'deno', 'electron', 'nw'].some(name => name in process.versions)
