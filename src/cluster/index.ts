export { type RemoteArrayInfo, RemoteArrays } from './arrays.js'
export { RemoteBarrier, type RemoteBarrierOptions } from './barrier.js'
export type { RedisClient } from './client.js'
export { RemoteCondition } from './condition.js'
export { type ConnectOptions, connect, RemoteConnection, type Semantics } from './connection.js'
export { RemoteEvent, type RemoteEventOptions } from './event.js'
export { RemoteGuard } from './guard.js'
export { RemoteJoinableQueue } from './joinable-queue.js'
export type {
  BarrierLike,
  ConditionLike,
  EventLike,
  GuardLike,
  JoinableQueueLike,
  MaybePromise,
  MessageLike,
  MutexLike,
  ObjectLike,
  PermitLike,
  QueueLike,
  RwLockLike,
  SemaphoreLike,
  ValueLike,
  WaitOptionsLike,
} from './likes.js'
export { RemoteMessage } from './message.js'
export { RemoteMutex } from './mutex.js'
export { RemoteLock, type RemoteLockOptions, type RemoteLocks } from './named-locks.js'
export { type RemotePutOptions, RemoteQueue, RemoteQueueBase, type RemoteQueueOptions } from './queue.js'
export { RemoteObject } from './remote-object.js'
export { RemoteRwLock } from './rw-lock.js'
export { RemotePermit, RemoteSemaphore, type RemoteSemaphoreOptions } from './semaphore.js'
export { RemoteValue } from './value.js'
export type { RemoteWaitOptions } from './waiting.js'
