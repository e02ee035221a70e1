import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { farProcess } from './queue-control.js'
import { decoded, encoded, type Parcel, type Payload } from './queue-messages.js'
import { Arrivals, type End } from './queue-runs.js'
import type { Transport } from './queue-transports.js'

/** A Unix domain socket of node:net. Each message follows its length, in four bytes. */
export const unixSocket: Transport = {
  async near() {
    const directory = mkdtempSync(join(tmpdir(), 'bench-'))
    const path = join(directory, 'socket')
    const server = createServer().listen(path)
    await once(server, 'listening')
    const far = farProcess({ transport: 'socket', data: path })
    const [socket] = (await once(server, 'connection')) as [Socket]
    server.close()
    rmSync(directory, { recursive: true })
    return { far, end: socketEnd(socket), stop: () => socket.destroy() }
  },
  async far(path) {
    const socket = connect(path as string)
    await once(socket, 'connect')
    return socketEnd(socket)
  },
}

const HEADER = 4

function socketEnd(socket: Socket): End {
  const arrivals = new Arrivals()
  let [payload, rest]: [Payload, Buffer] = [0, Buffer.alloc(0)]
  socket.on('data', chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (rest.length >= at + HEADER) {
      const end = at + HEADER + rest.readUInt32LE(at)
      if (rest.length < end) break
      arrivals.arrived(decoded(rest.subarray(at + HEADER, end), payload))
      at = end
    }
    rest = rest.subarray(at)
  })
  return {
    send: parcel => (socket.write(framed(parcel)) ? undefined : once(socket, 'drain')),
    receive(order, take) {
      payload = order.payload
      return arrivals.receive(take)
    },
  }
}

/** A batch is one write. */
function framed(parcel: Parcel): Buffer {
  if (Array.isArray(parcel)) return Buffer.concat(parcel.map(framed))
  const bytes = encoded(parcel)
  const frame = Buffer.allocUnsafe(HEADER + bytes.length)
  frame.writeUInt32LE(bytes.length)
  frame.set(bytes, HEADER)
  return frame
}
