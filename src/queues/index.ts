export { JoinableQueue } from './joinable-queue.js'
export { type MpmcOptions, MpmcQueue } from './mpmc-queue.js'
export { Pipe, type PipeOptions, type PipeReference } from './pipe.js'
export { PoolInbox } from './pool-inbox.js'
export { Queue } from './queue.js'
export type { QueueOptions } from './queue-handle.js'
export { RecordBatch } from './record-batch.js'
export { type RecordsInfo, recordsInfo } from './record-dtype.js'
export {
  type OpenRecordQueueOptions,
  type RecordColumns,
  RecordQueue,
  type RecordQueueOptions,
} from './record-queue.js'
export { SpscConsumer } from './spsc-consumer.js'
export { SpscProducer } from './spsc-producer.js'
export { type SpscOptions, SpscQueue } from './spsc-queue.js'
export type { OpenQueueOptions, ValueQueueOptions } from './value-queue.js'
