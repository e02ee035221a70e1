export { FileLock, type FileLockOptions, type FileLockSyncOptions } from './file-lock.js'
export { FileLockGuard, type FileLockOpenOptions, type FileLockRange } from './open-file.js'
