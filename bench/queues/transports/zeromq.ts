import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Pull, Push } from 'zeromq'
import { packageVersion } from '../../harness/package-version.js'
import { newDirectory } from '../../harness/temporary.js'
import { farProcess } from '../control.js'
import { decoded, encoded, type Message } from '../messages.js'
import type { End, Transport } from '../transport.js'

/** ZeroMQ's pipeline, a Push and a Pull socket each way, over a Unix socket (ipc://). */
export const zeromq: Transport = {
  async near() {
    const [push, pull] = newSockets()
    const directory = newDirectory()
    const [there, back] = ['there', 'back'].map(name => `ipc://${join(directory, name)}`) as [string, string]
    await Promise.all([push.bind(there), pull.bind(back)])
    return {
      end: zeromqEnd(push, pull),
      start: () => farProcess({ transport: 'zeromq', data: [there, back] }),
      version: packageVersion('zeromq'),
      stop() {
        push.close()
        pull.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
  far(data) {
    const [push, pull] = newSockets()
    const [there, back] = data as [string, string]
    pull.connect(there)
    push.connect(back)
    return zeromqEnd(push, pull)
  },
}

/** The package is loaded only where it is used, since it starts threads. */
function newSockets(): [Push, Pull] {
  const { Pull, Push } = require('zeromq') as typeof import('zeromq')
  return [new Push(), new Pull()]
}

/** A batch is one message of many parts, which is ZeroMQ's way to send several at once. */
function zeromqEnd(push: Push, pull: Pull): End {
  return {
    send: parcel => push.send(Array.isArray(parcel) ? parcel.map(frame) : frame(parcel)),
    async receive({ payload, batch }, take) {
      for (;;) {
        const frames = await pull.receive()
        const messages = frames.map(bytes => decoded(bytes, payload))
        if (take(batch === 1 ? (messages[0] as Message) : messages)) return
      }
    },
  }
}

/** ZeroMQ copies short messages. It sends long ones from their buffer, so they must be copies. */
function frame(message: Message): Uint8Array {
  const bytes = encoded(message)
  return bytes === message && bytes.length > 128 ? new Uint8Array(bytes) : bytes
}
