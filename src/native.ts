import { isMainThread, threadId } from 'node:worker_threads'
import * as addon from '../dist/addon/index.js'
import { CrossmemError, type CrossmemErrorCode } from './errors.js'

// The only importer of the addon: joins the domain on first use, and turns the addon's errors into ours.

/** The domain of this process: all processes of one user with the same name see each other's objects. */
export const domainName = (): string => process.env.CROSSMEM_DOMAIN || 'default'

let joined = false

function join(): void {
  if (joined) return
  addon.join(domainName(), isMainThread ? 0 : threadId)
  joined = true
  // Also for process.exit() and uncaught exceptions; what a killed process leaves is swept by the others.
  process.once('exit', () => {
    joined = false
    addon.leave()
  })
}

function translate(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof CrossmemError) return error
  const code = String(error.code)
  if (code.startsWith('ERR_'))
    return new CrossmemError(code as CrossmemErrorCode, error.message, { cause: error })
  return new CrossmemError('ERR_INVALID_ARG', error.message, { cause: error })
}

function member<Args extends unknown[], Result>(call: (...args: Args) => Result): (...args: Args) => Result {
  return (...args) => {
    try {
      join()
      return call(...args)
    } catch (error) {
      throw translate(error)
    }
  }
}

function visitor<Args extends unknown[], Result>(call: (...args: Args) => Result): (...args: Args) => Result {
  return (...args) => {
    try {
      return call(...args)
    } catch (error) {
      throw translate(error)
    }
  }
}

/** The addon's functions. Those of a member make this environment an agent of its domain first. */
export const native = {
  createSegment: member(addon.createSegment),
  openSegment: member(addon.openSegment),
  segmentBuffer: member(addon.segmentBuffer) as (handle: number) => ArrayBuffer,
  closeSegment: visitor(addon.closeSegment),
  forgetSegment: visitor(addon.forgetSegment),
  unlinkSegment: member(addon.unlinkSegment),
  unlinkByName: member(addon.unlinkByName),
  attachGuard: member(addon.attachGuard),
  beginUpdate: member(addon.beginUpdate),
  endUpdate: member(addon.endUpdate),
  giveUpUpdate: member(addon.giveUpUpdate),
  snapshot: member(addon.snapshot),
  collectGarbage: member(addon.collectGarbage),
  inspectDomain: visitor(addon.inspectDomain),
}

export type { DomainState, NewSegment, OpenSegment } from '../dist/addon/index.js'
