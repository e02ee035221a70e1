export { Barrier, type BarrierOptions } from './barrier.js'
export { Condition } from './condition.js'
export type { DataOptions } from './data-handle.js'
export { type AgentInfo, gc, list, type ObjectInfo, type Swept } from './domain.js'
export type { DType, DTypeOf, Scalar, ScalarInput, ScalarOf, StorageOf, TypedArray } from './dtype.js'
export { CrossmemError, type CrossmemErrorCode } from './errors.js'
export { Event, type EventOptions } from './event.js'
export { FileLock, type FileLockOptions, type FileLockSyncOptions } from './file-lock.js'
export { Guard } from './guard.js'
export { FileLockGuard, type FileLockOpenOptions, type FileLockRange } from './lock-file.js'
export type {
  Lock,
  LockGrantedCallback,
  LockInfo,
  LockManager,
  LockManagerSnapshot,
  LockMode,
  LockOptions,
} from './lock-types.js'
export { locks } from './locks.js'
export { Mutex } from './mutex.js'
export { NDView, type Range } from './nd-view.js'
export { type FromOptions, type LayoutOptions, NDArray } from './ndarray.js'
export type { Nested } from './nested.js'
export type { Order } from './npy.js'
export { type AnyHandle, open, type Reference } from './open.js'
export { RLock } from './rlock.js'
export { RwLock } from './rw-lock.js'
export type { CreateOptions } from './segment.js'
export { Permit, Semaphore, type SemaphoreOptions } from './semaphore.js'
export { type ArraySource, SharedArray } from './shared-array.js'
export { SharedMemory } from './shared-memory.js'
export type { UpdateContext } from './update.js'
export { Value } from './value.js'
export type { SyncWaitOptions, WaitOptions } from './wait.js'
