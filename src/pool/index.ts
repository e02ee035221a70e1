import { definePool } from '../open.js'

export { PoolClient } from './client.js'
export { type CurrentTask, currentTask } from './current-task.js'
export type { WorkerDied } from './death.js'
export type { PoolEvents, WorkerEnd } from './events.js'
export type { ImapOptions } from './imap.js'
export type { Progress } from './job.js'
export type { MapOptions } from './map.js'
export { type SeenWorker, workersOf } from './onlookers.js'
export type { PoolOptions, TaskOptions } from './options.js'
export { Pool } from './pool.js'
export type { PoolStats, WorkerInfo, WorkerStats } from './stats.js'
export { Task, type TaskState } from './task.js'
export type { Times } from './times.js'

// Loaded when a pool is opened: most programs open none.
definePool(segment => (require('./client.js') as typeof import('./client.js')).PoolClient.attach(segment))
