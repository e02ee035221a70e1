import './proxies.js'

export { ManagedDict, ManagedNamespace, type WatchOptions } from './dict.js'
export type { Change } from './iterate.js'
export { ManagedArray, ManagedItems, ManagedList, ManagedValue } from './list.js'
export {
  type BarrierState,
  ManagedBarrier,
  ManagedCondition,
  ManagedEvent,
  ManagedGuard,
  ManagedLock,
  ManagedPermit,
  ManagedSemaphore,
} from './lock.js'
export { Managed, openManaged } from './managed.js'
export { type ManagedQueueOptions, Manager } from './manager.js'
export { inspectManager, managers, type ObjectOfManager } from './observe.js'
export { ManagedJoinableQueue, ManagedQueue, type QueueState } from './queue.js'
export type { Remote } from './remote.js'
export type { ManagerStats } from './server.js'
export type { ConnectOptions, ListenOptions, ManagerOptions, ServeOptions } from './settings.js'
export { SharedMemoryManager } from './shared-memory-manager.js'
