import type { Mode, News, Wire } from './messages.js'

/** Options of a task, as far as the pool and not the client sees to them. */
export interface RequestedOptions {
  priority: number
  key: string | null
  /** `null`: as often as the pool says. */
  retries: number | null
}

/** What clients put into a pool's inbox. Each begins with the name of the client's queue. */
export type Request =
  /** Another client. It holds the mutex as long as it is there. */
  | [client: string, is: 'join', life: string]
  | [
      client: string,
      is: 'call',
      task: number,
      run: string,
      mode: Mode,
      args: Wire,
      sender: number | null,
      options: RequestedOptions,
    ]
  | [client: string, is: 'stop', task: number, reason: Wire]
  /** The objects in the result are open in the client. */
  | [client: string, is: 'release', task: number]

/** What a pool puts into a client's queue: what it, or its worker, says of the client's task. */
export type Answer =
  | Extract<News, ['progress' | 'returned' | 'failed', ...unknown[]]>
  /** A worker has begun the task, and isn't done at once. */
  | [is: 'begun', task: number]

/** The name of the lock that a pool holds for writing as long as it is there. */
export const lifeOf = (pool: string): string => `${pool}.life`
