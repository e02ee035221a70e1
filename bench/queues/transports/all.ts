import type { Transport } from '../transport.js'
import { crossmemTransports } from './crossmem.js'
import { ipc } from './ipc.js'
import { postMessage } from './post-message.js'
import { redis } from './redis.js'
import { ringbuf } from './ringbuf.js'
import { unixSocket } from './socket.js'
import { zeromq } from './zeromq.js'

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
