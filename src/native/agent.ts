import { isMainThread, threadId } from 'node:worker_threads'
import * as addon from './addon.js'

/** The domain of this process: all processes of one user with the same name see each other's objects. */
export const domainName = (): string => process.env.CROSSMEM_DOMAIN || 'default'

let joined = false
let word: bigint | undefined

/** This environment as the word of a mutex that it holds names it, while it is an agent. */
export const ownerWord = (): bigint | undefined => word

/** Makes this environment an agent of its domain, once. */
export function join(): void {
  if (joined) return
  addon.join(domainName(), isMainThread ? 0 : threadId)
  joined = true
  const [instance = 0, slot = 0] = addon.ownerWord()
  word = (BigInt(instance) << 32n) | BigInt(slot)
  // Also for process.exit() and uncaught exceptions; what a killed process leaves is swept by the others.
  process.once('exit', () => {
    joined = false
    word = undefined
    addon.leave()
  })
}
