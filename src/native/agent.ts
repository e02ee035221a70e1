import { isMainThread, threadId } from 'node:worker_threads'
import * as addon from './addon.js'

/** The name of this process's domain. */
export const domainName = (): string => process.env.CROSSMEM_DOMAIN || 'default'

let joined = false
let word: bigint | undefined

/**
 * The owner word of a mutex that this environment holds; `undefined` before it joins and after it
 * leaves.
 */
export const ownerWord = (): bigint | undefined => word

/** Makes this environment an agent of its domain, once. */
export function join(): void {
  if (joined) return
  addon.join(domainName(), isMainThread ? 0 : threadId)
  joined = true
  const [instance = 0, slot = 0] = addon.ownerWord()
  word = (BigInt(instance) << 32n) | BigInt(slot)
  // It also runs on process.exit() and uncaught exceptions. Other processes clean up after a killed
  // one.
  process.once('exit', () => {
    joined = false
    word = undefined
    addon.leave()
  })
}
