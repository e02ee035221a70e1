export { callerOf } from './caller.js'
export { cpuCount } from './cpu-count.js'
export { type CurrentProcess, currentProcess, isKept, type ParentProcess, parentProcess } from './current.js'
export { pack, replaceReferences, unpack } from './handles.js'
export { Handover } from './launch.js'
export type { Target } from './messages.js'
export { loadAll, loadFunctions, type Run } from './module.js'
export {
  type AnyFunction,
  type AnyStartOptions,
  checkModule,
  type FunctionNames,
  noClosures,
  type ProcessOptions,
  type ResultOf,
  type StartOptions,
} from './options.js'
export { packError, packResult } from './outcome.js'
export { activeChildren, Process } from './process.js'
export { LARGE, move, release } from './shares.js'
