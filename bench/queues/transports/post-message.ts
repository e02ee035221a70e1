import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { farThread } from '../control.js'
import type { Parcel } from '../messages.js'
import { Arrivals, type End, type Transport } from '../transport.js'

/**
 * postMessage between two threads. A transferred buffer is lost to its sender, so the near end
 * makes a new one for each message.
 */
export const postMessage = (how: 'copied' | 'transferred'): Transport => ({
  near() {
    const { port1, port2 } = new MessageChannel()
    const post =
      how === 'copied'
        ? copy(port1)
        : (parcel: Parcel) => transfer(port1, new Uint8Array(parcel as Uint8Array))
    return {
      end: portEnd(port1, post),
      start: () => farThread({ transport: how, data: port2 }, [port2]),
      stop: () => port1.close(),
    }
  },
  far(data) {
    const port = data as MessagePort
    return portEnd(port, how === 'copied' ? copy(port) : parcel => transfer(port, parcel as Uint8Array))
  },
})

function portEnd(port: MessagePort, send: (parcel: Parcel) => void): End {
  const arrivals = new Arrivals()
  port.on('message', parcel => arrivals.arrived(parcel))
  return { send, receive: (_, take) => arrivals.receive(take) }
}

const copy =
  (port: MessagePort) =>
  (parcel: Parcel): void =>
    port.postMessage(parcel)

const transfer = (port: MessagePort, bytes: Uint8Array): void =>
  port.postMessage(bytes, [bytes.buffer as ArrayBuffer])
