import type { ChildProcess, SerializationType } from 'node:child_process'
import { farProcess } from './queue-control.js'
import type { Message, Parcel } from './queue-messages.js'
import { Arrivals, type End } from './queue-runs.js'
import type { Transport } from './queue-transports.js'

/** process.send in each of its two serializations. JSON has no bytes: they go as strings, in base64. */
export const ipc = (serialization: SerializationType): Transport => ({
  near() {
    const far = farProcess({ transport: serialization, data: null }, { serialization })
    return { far, end: ipcEnd(far.child, serialization), stop: () => far.child.disconnect() }
  },
  far: () => ipcEnd(process as unknown as Channel, serialization),
})

/** What a ChildProcess has in common with its own `process`. */
type Channel = Pick<ChildProcess, 'send' | 'on'>

/** What isn't written yet stays in memory, so now and then the sender waits for that. */
const WITHOUT_WAITING = 128

function ipcEnd(channel: Channel, serialization: SerializationType): End {
  const arrivals = new Arrivals()
  const [pack, unpack] = serialization === 'json' ? [packed, unpacked] : [asItIs, asItIs]
  channel.on('message', message => arrivals.arrived(unpack(message as never)))
  let sent = 0
  return {
    send(parcel) {
      if (++sent % WITHOUT_WAITING !== 0) {
        channel.send(pack(parcel))
        return
      }
      return new Promise<void>((written, failed) =>
        channel.send(pack(parcel), error => (error ? failed(error) : written())),
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
