import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { newDirectory } from '../../harness/temporary.js'
import { farProcess } from '../control.js'
import { decoded, encoded, type Parcel } from '../messages.js'
import { Arrivals, type End, type Transport } from '../transport.js'

/** A Unix domain socket of node:net. The length of a message, in four bytes, precedes it. */
export const unixSocket: Transport = {
  async near() {
    const directory = newDirectory()
    const path = join(directory, 'socket')
    const server = createServer().listen(path)
    await once(server, 'listening')
    const sockets: Socket[] = []
    const arrivals = new Arrivals()
    return {
      end: socketEnd(arrivals, () => sockets[0] as Socket),
      async start() {
        const far = farProcess({ transport: 'socket', data: path })
        const [socket] = (await once(server, 'connection')) as [Socket]
        listen(socket, arrivals)
        sockets.push(socket)
        return far
      },
      stop() {
        for (const socket of sockets) socket.destroy()
        server.close()
        rmSync(directory, { recursive: true, force: true })
      },
    }
  },
  async far(path) {
    const socket = connect(path as string)
    await once(socket, 'connect')
    const arrivals = new Arrivals()
    listen(socket, arrivals)
    return socketEnd(arrivals, () => socket)
  },
}

const HEADER = 4

/** Joins the chunks that arrive to whole messages. */
function listen(socket: Socket, arrivals: Arrivals): void {
  let [chunks, length, needed]: [Buffer[], number, number] = [[], 0, HEADER]
  socket.on('data', chunk => {
    chunks.push(chunk)
    length += chunk.length
    if (length < needed) return
    const bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    let at = 0
    needed = HEADER
    while (length - at >= HEADER) {
      const end = at + HEADER + bytes.readUInt32LE(at)
      if (length < end) {
        needed = end - at
        break
      }
      arrivals.arrived(bytes.subarray(at + HEADER, end))
      at = end
    }
    length -= at
    chunks = length === 0 ? [] : [bytes.subarray(at)]
  })
}

const socketEnd = (arrivals: Arrivals, partner: () => Socket): End => ({
  send(parcel) {
    const socket = partner()
    return socket.write(framed(parcel)) ? undefined : once(socket, 'drain')
  },
  receive: ({ payload }, take) => arrivals.receive(bytes => take(decoded(bytes as Buffer, payload))),
})

/** A batch is one write. */
function framed(parcel: Parcel): Buffer {
  if (Array.isArray(parcel)) return Buffer.concat(parcel.map(framed))
  const bytes = encoded(parcel)
  const frame = Buffer.allocUnsafe(HEADER + bytes.length)
  frame.writeUInt32LE(bytes.length)
  frame.set(bytes, HEADER)
  return frame
}
