// First, so that a runtime that is too old, or can't load the addon, is told why.
import './node-version.js'
import './native/index.js'
import './wait/index.js'
import './managed.js'
// So that open() knows pools.
import './pool/index.js'

export {
  type ArraySource,
  type DataOptions,
  type FromOptions,
  type LayoutOptions,
  NDArray,
  type ReadOptions,
  SharedArray,
  type UpdateContext,
  Value,
} from './arrays/index.js'
export type { Codec, CodecOption } from './codecs/index.js'
export { type AgentInfo, gc, list, type ObjectInfo, type Swept } from './domain.js'
export { CrossmemError, type CrossmemErrorCode } from './errors.js'
export {
  FileLock,
  FileLockGuard,
  type FileLockOpenOptions,
  type FileLockOptions,
  type FileLockRange,
  type FileLockSyncOptions,
} from './file-locks/index.js'
export {
  Barrier,
  type BarrierOptions,
  Condition,
  Event,
  type EventOptions,
  Guard,
  Mutex,
  Permit,
  RLock,
  RwLock,
  Semaphore,
  type SemaphoreOptions,
} from './locks/index.js'
export { type ListItem, ShareableList, type ShareableListOptions, SharedMemory } from './memory/index.js'
export { Message } from './messages/index.js'
export {
  type BytesDType,
  type DatetimeDType,
  type DType,
  type DTypeFrom,
  type DTypeLike,
  type DTypeOf,
  NaT,
  NDView,
  type Nested,
  type NumericCode,
  type NumericDType,
  type NumericDTypeOf,
  type Order,
  type Range,
  type RawDType,
  type RecordValue,
  type Scalar,
  type ScalarInput,
  type ScalarOf,
  type SmallFloatDType,
  type StorageOf,
  type StringDType,
  type StructDType,
  type StructField,
  type StructFieldLike,
  type StructLayout,
  type TimedeltaDType,
  type TimeUnit,
  type TypeCode,
  type TypedArray,
  toDate,
} from './nd/index.js'
export type { CreateOptions } from './objects/index.js'
export { type AnyHandle, type ManagedHandle, open, type Reference } from './open.js'
export {
  type CurrentTask,
  currentTask,
  type ImapOptions,
  type MapOptions,
  Pool,
  PoolClient,
  type PoolEvents,
  type PoolOptions,
  type PoolStats,
  type Progress,
  Task,
  type TaskOptions,
  type TaskState,
  type Times,
  type WorkerDied,
  type WorkerEnd,
  type WorkerInfo,
  type WorkerStats,
} from './pool/index.js'
export {
  type AnyStartOptions,
  activeChildren,
  type CurrentProcess,
  cpuCount,
  currentProcess,
  type FunctionNames,
  move,
  type ParentProcess,
  Process,
  type ProcessOptions,
  parentProcess,
  type ResultOf,
  release,
  type StartOptions,
} from './process/index.js'
export {
  JoinableQueue,
  type MpmcOptions,
  MpmcQueue,
  type OpenQueueOptions,
  type OpenRecordQueueOptions,
  Pipe,
  type PipeOptions,
  type PipeReference,
  Queue,
  type QueueOptions,
  RecordBatch,
  type RecordColumns,
  RecordQueue,
  type RecordQueueOptions,
  SpscConsumer,
  type SpscOptions,
  SpscProducer,
  SpscQueue,
  type ValueQueueOptions,
} from './queues/index.js'
export type { SyncWaitOptions, WaitOptions } from './wait/index.js'
export {
  type Lock,
  type LockGrantedCallback,
  type LockInfo,
  type LockManager,
  type LockManagerSnapshot,
  type LockMode,
  type LockOptions,
  locks,
} from './web-locks/index.js'
