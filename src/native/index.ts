// First: a failure is told in words.
import './loading.js'

export type { AgentIdentity, DomainState, LockRequest, NewSegment, OpenSegment } from './addon.js'
export { domainGroup, domainName, ownerWord } from './agent.js'
export { nativeArrays } from './arrays.js'
export { nativeDomain } from './domain.js'
export { nativeFileLocks } from './file-locks.js'
export { nativeLocks } from './locks.js'
export { nativeMessages } from './messages.js'
export { nativeNamedLocks } from './named-locks.js'
export { clearPad, PAD_BYTES, PAD_MESSAGES, pad } from './pad.js'
export { nativeProcess } from './process.js'
export {
  answers,
  arrivals,
  attempts,
  channels,
  company,
  fates,
  fileAnswers,
  meetings,
  messageFlags,
  queueFlags,
  recordQueueOffsets,
  ringOffsets,
  segmentOffsets,
  structureAnswers,
  transfers,
  waits,
} from './protocol.js'
export { nativeQueues } from './queues.js'
export { nativeRecordQueues } from './record-queues.js'
export { nativeRecords } from './records.js'
export { nativeSegments } from './segments.js'
export { shared } from './shared.js'
export { hasLoop, nativeWake } from './wake.js'
