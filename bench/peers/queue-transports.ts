import type { Far } from '../queues/control.js'
import type { End } from '../queues/runs.js'
import { crossmemTransports } from './queue-crossmem.js'
import { ipc } from './queue-ipc.js'
import { postMessage } from './queue-post-message.js'
import { redis } from './queue-redis.js'
import { ringbuf } from './queue-ringbuf.js'
import { unixSocket } from './queue-socket.js'
import { zeromq } from './queue-zeromq.js'

/** A way to send messages between two processes, or two threads of one. */
export interface Transport {
  near(largest: number, option?: string): Near | Promise<Near>
  far(data: unknown): End | Promise<End>
}

export interface Near {
  end: End
  /** Starts another end. Where only one is possible, this is called once. What is sent goes to the first. */
  start(): Far | Promise<Far>
  version?: string
  /** Nanoseconds of CPU time that others have used who carry the messages. */
  othersCpu?(): Promise<number>
  stop?(): void
}

export const transports: Record<string, Transport> = {
  json: ipc('json'),
  advanced: ipc('advanced'),
  copied: postMessage('copied'),
  transferred: postMessage('transferred'),
  ringbuf,
  socket: unixSocket,
  zeromq,
  redis,
  ...crossmemTransports,
}
