export { cpuCount } from './cpu-count.js'
export { type CurrentProcess, currentProcess, type ParentProcess, parentProcess } from './current.js'
export type { AnyStartOptions, FunctionNames, ProcessOptions, ResultOf, StartOptions } from './options.js'
export { activeChildren, Process } from './process.js'
