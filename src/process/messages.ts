import type { AgentIdentity } from '../native/index.js'

/** What a process is told about itself. */
export interface Description {
  name: string
  isDaemon: boolean
  /** The process that started it, and the agent whose life is that process's, or its thread's. */
  parent: { name: string; pid: number; agent: AgentIdentity; isMainThread: boolean }
}

/** What a process runs. */
export interface Target {
  /** A URL, a path, or the name of a package. */
  module: string
  /** The file of the caller, as a URL: it says which file a relative path or a name means. */
  caller: string
  /** The export to call. */
  run: string | undefined
}

/** From the parent. */
export type Order =
  | {
      do: 'start'
      description: Description
      target: Target
      /** The arguments, encoded. */
      args: Uint8Array
      /** The instance of the agent that hands over the objects in the arguments. */
      sender: number | undefined
      /** Whether large arrays of the result travel in shared memory. */
      share: boolean
    }
  | { do: 'terminate' }
  /** The objects in the result are open in the parent. */
  | { do: 'release' }

/** From the child. */
export type News =
  /** The objects in the arguments are open in the child. */
  { is: 'started' } | { is: 'returned'; value: Uint8Array } | { is: 'failed'; error: Uint8Array }
