import type { Far } from './queue-control.js'
import { crossmemTransports } from './queue-crossmem.js'
import { ipc } from './queue-ipc.js'
import { postMessage } from './queue-post-message.js'
import { redis } from './queue-redis.js'
import { ringbuf } from './queue-ringbuf.js'
import type { End } from './queue-runs.js'
import { unixSocket } from './queue-socket.js'

/** A way to send messages between two processes, or two threads of one. */
export interface Transport {
  /** Starts the other end, too. */
  near(option?: string): Near | Promise<Near>
  far(data: unknown): End | Promise<End>
}

export interface Near {
  end: End
  far: Far
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
  redis,
  ...crossmemTransports,
}
