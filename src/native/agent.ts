import { isMainThread, threadId } from 'node:worker_threads'
import * as addon from './addon.js'

/** The name of this process's domain. */
export const domainName = (): string => process.env.CROSSMEM_DOMAIN || 'default'

/**
 * The group, by name or number, whose members share the domain; `undefined` if it is this user's
 * own.
 */
export const domainGroup = (): string | undefined => process.env.CROSSMEM_GROUP || undefined

let word: bigint | undefined

/** The owner word of a mutex that this environment holds; `undefined` before it joins. */
export const ownerWord = (): bigint | undefined => word

/**
 * Makes this environment an agent of its domain, once. It leaves after the last `exit` listener,
 * without a call: `crates/napi/src/environment/lifecycle.rs`.
 */
export function join(): void {
  if (word !== undefined) return
  addon.join(domainName(), domainGroup(), isMainThread ? 0 : threadId)
  const [instance = 0, slot = 0] = addon.ownerWord()
  word = (BigInt(instance) << 32n) | BigInt(slot)
}
