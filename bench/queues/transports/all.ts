import type { Far } from '../control.js'
import type { End } from '../runs.js'
import { crossmemTransports } from './crossmem.js'
import { ipc } from './ipc.js'
import { postMessage } from './post-message.js'
import { redis } from './redis.js'
import { ringbuf } from './ringbuf.js'
import { unixSocket } from './socket.js'
import { zeromq } from './zeromq.js'

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
