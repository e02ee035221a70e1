import type { ChildProcess, SerializationType } from 'node:child_process'
import { farProcess } from '../control.js'
import type { Message, Parcel } from '../messages.js'
import { Arrivals, type End, type Transport } from '../transport.js'

/** process.send with one of its two serializations. In JSON, bytes are strings in base64. */
export const ipc = (serialization: SerializationType): Transport => ({
  near() {
    const children: ChildProcess[] = []
    const arrivals = new Arrivals()
    return {
      end: ipcEnd(arrivals, () => children[0] as ChildProcess, serialization),
      start() {
        const far = farProcess({ transport: serialization, data: null }, { serialization })
        listen(far.child, arrivals, serialization)
        children.push(far.child)
        return far
      },
      stop() {
        for (const child of children) child.disconnect()
      },
    }
  },
  far() {
    const arrivals = new Arrivals()
    listen(process as unknown as Channel, arrivals, serialization)
    return ipcEnd(arrivals, () => process as unknown as Channel, serialization)
  },
})

/** The methods of a ChildProcess that `process` has in the child, too. */
type Channel = Pick<ChildProcess, 'send' | 'on'>

/** Unwritten messages stay in memory, so the sender waits after so many of them. */
const WITHOUT_WAITING = 128

function listen(channel: Channel, arrivals: Arrivals, serialization: SerializationType): void {
  const unpack = serialization === 'json' ? unpacked : asItIs
  channel.on('message', message => arrivals.arrived(unpack(message as never)))
}

function ipcEnd(arrivals: Arrivals, partner: () => Channel, serialization: SerializationType): End {
  const pack = serialization === 'json' ? packed : asItIs
  let sent = 0
  return {
    send(parcel) {
      if (++sent % WITHOUT_WAITING !== 0) {
        partner().send(pack(parcel))
        return
      }
      return new Promise<void>((written, failed) =>
        partner().send(pack(parcel), error => (error ? failed(error) : written())),
      )
    },
    receive: (_, take) => arrivals.receive(take),
  }
}

const asItIs = (parcel: Parcel): Parcel => parcel

type Text = Exclude<Message, Uint8Array> | string

const packed = (parcel: Parcel): Text | Text[] =>
  Array.isArray(parcel) ? parcel.map(packedOne) : packedOne(parcel)

const unpacked = (text: Text | Text[]): Parcel =>
  Array.isArray(text) ? text.map(unpackedOne) : unpackedOne(text)

const packedOne = (message: Message): Text =>
  message instanceof Uint8Array ? (message as Buffer).toString('base64') : message

const unpackedOne = (text: Text): Message => (typeof text === 'string' ? Buffer.from(text, 'base64') : text)
