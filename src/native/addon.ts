import { isMainThread, threadId } from 'node:worker_threads'
import * as addon from '../../dist/addon/index.js'
import { CrossmemError, type CrossmemErrorCode } from '../errors.js'

// The only importer of the addon: joins the domain on first use, and turns the addon's errors into ours.

/** The domain of this process: all processes of one user with the same name see each other's objects. */
export const domainName = (): string => process.env.CROSSMEM_DOMAIN || 'default'

let joined = false
let word: bigint | undefined

/** This environment as the word of a mutex that it holds names it, while it is an agent. */
export const ownerWord = (): bigint | undefined => word

function join(): void {
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
  giveUpBeginning: member(addon.giveUpBeginning),
  endUpdate: member(addon.endUpdate),
  giveUpUpdate: member(addon.giveUpUpdate),
  snapshot: member(addon.snapshot),
  objectParams: member(addon.objectParams),
  objectHolders: member(addon.objectHolders),
  objectCompany: member(addon.objectCompany),
  lock: member(addon.lock),
  giveUpLock: member(addon.giveUpLock),
  unlock: member(addon.unlock),
  abandonLock: member(addon.abandonLock),
  markConsistent: member(addon.markConsistent),
  isLocked: member(addon.isLocked),
  enterRead: member(addon.enterRead),
  enterWrite: member(addon.enterWrite),
  giveUpEntering: member(addon.giveUpEntering),
  endRead: member(addon.endRead),
  endWrite: member(addon.endWrite),
  abandonWrite: member(addon.abandonWrite),
  markWrittenConsistent: member(addon.markWrittenConsistent),
  acquirePermit: member(addon.acquirePermit),
  giveUpAcquiring: member(addon.giveUpAcquiring),
  releasePermits: member(addon.releasePermits),
  consumePermit: member(addon.consumePermit),
  freePermits: member(addon.freePermits),
  permitsHeld: member(addon.permitsHeld),
  setEvent: member(addon.setEvent),
  clearEvent: member(addon.clearEvent),
  eventIsSet: member(addon.eventIsSet),
  eventTimes: member(addon.eventTimes),
  waitEvent: member(addon.waitEvent),
  giveUpEvent: member(addon.giveUpEvent),
  enterCondition: member(addon.enterCondition),
  waitCondition: member(addon.waitCondition),
  settleCondition: member(addon.settleCondition),
  leaveCondition: member(addon.leaveCondition),
  giveUpCondition: member(addon.giveUpCondition),
  notifyCondition: member(addon.notifyCondition),
  arrive: member(addon.arrive),
  waitMeeting: member(addon.waitMeeting),
  completeMeeting: member(addon.completeMeeting),
  abortMeeting: member(addon.abortMeeting),
  resetBarrier: member(addon.resetBarrier),
  waitingAtBarrier: member(addon.waitingAtBarrier),
  barrierIsBroken: member(addon.barrierIsBroken),
  giveUpBarrier: member(addon.giveUpBarrier),
  openLocks: member(addon.openLocks),
  requestLock: member(addon.requestLock),
  endLockRequest: member(addon.endLockRequest),
  lockNews: member(addon.lockNews),
  queryLocks: member(addon.queryLocks),
  takeEnd: member(addon.takeEnd),
  hasEnd: member(addon.hasEnd),
  releaseEnd: visitor(addon.releaseEnd),
  closeEnd: member(addon.closeEnd),
  endIsClosed: member(addon.endIsClosed),
  bytesTowards: member(addon.bytesTowards),
  giveUpChannel: member(addon.giveUpChannel),
  wakePeer: member(addon.wakePeer),
  joinQueue: member(addon.joinQueue),
  pushLargeMessage: member(addon.pushLargeMessage),
  readMessage: member(addon.readMessage),
  checkSpilled: member(addon.checkSpilled),
  endQueue: member(addon.endQueue),
  queueHasEnded: member(addon.queueHasEnded),
  queueSize: member(addon.queueSize),
  joinMessages: member(addon.joinMessages),
  unfinishedMessages: member(addon.unfinishedMessages),
  giveUpQueue: member(addon.giveUpQueue),
  usePad: visitor(addon.usePad) as (buffer: ArrayBuffer) => ArrayBuffer,
  startReactor: member(addon.startReactor),
  setWaiting: visitor(addon.setWaiting),
  due: visitor(addon.due),
  collectGarbage: member(addon.collectGarbage),
  inspectDomain: visitor(addon.inspectDomain),
  openFileLock: visitor(addon.openFileLock),
  tryFileLock: visitor(addon.tryFileLock),
  releaseFileLock: visitor(addon.releaseFileLock),
  closeFileLock: visitor(addon.closeFileLock),
  forgetFileLock: visitor(addon.forgetFileLock),
}

const calls = addon.hotCalls()

// Calls that programs make by the million, by the number of their arguments: spreading them would cost as much as the call.

function hot2(name: string): (a: number, b: number) => number {
  const call = calls[name] as (a: number, b: number) => number
  return (a, b) => {
    try {
      return call(a, b)
    } catch (error) {
      throw translate(error)
    }
  }
}

function hot3(name: string): (a: number, b: number, c: number) => number {
  const call = calls[name] as (a: number, b: number, c: number) => number
  return (a, b, c) => {
    try {
      return call(a, b, c)
    } catch (error) {
      throw translate(error)
    }
  }
}

function hot4(name: string): (a: number, b: number, c: number, d: number) => number {
  const call = calls[name] as (a: number, b: number, c: number, d: number) => number
  return (a, b, c, d) => {
    try {
      return call(a, b, c, d)
    } catch (error) {
      throw translate(error)
    }
  }
}

/** See `hot.rs` in the addon: messages go over the pad (`queue/pad.ts`). */
export const hot = {
  pushRecord: hot4('pushRecord'),
  pushPart: hot4('pushPart'),
  popRecord: hot3('popRecord'),
  pushRecords: hot3('pushRecords'),
  popRecords: hot3('popRecords'),
  reserveRecord: hot4('reserveRecord'),
  commitRecord: hot3('commitRecord'),
  peekRecord: hot3('peekRecord'),
  releaseRecord: hot2('releaseRecord'),
  pushMessage: hot3('pushMessage'),
  popMessage: hot2('popMessage'),
  pushMessages: hot2('pushMessages'),
  popMessages: hot2('popMessages'),
  reserveMessage: hot2('reserveMessage'),
  commitMessage: hot3('commitMessage'),
  cancelMessage: hot2('cancelMessage'),
  takeMessage: hot2('takeMessage'),
  freeMessage: hot2('freeMessage'),
  putMessageBack: hot2('putMessageBack'),
  abandonMessage: hot2('abandonMessage'),
}

export type {
  BarrierArrival,
  DomainState,
  LockRequest,
  NewSegment,
  OpenSegment,
} from '../../dist/addon/index.js'
