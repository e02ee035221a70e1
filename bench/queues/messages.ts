/** The contents of a message: a number of bytes, or a small object. */
export type Payload = number | 'object'

export interface Item {
  id: number
  kind: string
  price: number
  tags: string[]
  paid: boolean
}

/** Carries its number, so that the receiver can check that all arrive, whole and in order. */
export type Message = Uint8Array | Item
/** A message, or the messages of one call. */
export type Parcel = Message | Message[]

/**
 * Makes one parcel after the other. The buffers of bytes are reused, so the transport must copy
 * them before the next parcel is made.
 */
export function outbox(payload: Payload, batch: number, first = 0): () => Parcel {
  let next = first
  if (payload === 'object') {
    return batch === 1 ? () => item(next++) : () => Array.from({ length: batch }, () => item(next++))
  }
  const buffers = Array.from({ length: batch }, () => Buffer.alloc(payload))
  const only = buffers[0] as Buffer
  if (batch === 1) return () => numbered(only, next++)
  return () => {
    for (const buffer of buffers) numbered(buffer, next++)
    return buffers
  }
}

/** Checks that the messages of each sender arrive in order. Returns true with the last one. */
export function inbox(payload: Payload, count: number, senders = 1): (parcel: Parcel) => boolean {
  let came = 0
  const each = count / senders
  const next = Array.from({ length: senders }, (_, sender) => sender * each)
  const numberOf = payload === 'object' ? itemNumber : bytesNumber(payload)
  const take = (message: Message): void => {
    const number = numberOf(message as Item & Uint8Array)
    const sender = Math.floor(number / each)
    if (number !== next[sender])
      throw new Error(`message ${number} arrived instead of ${next[sender] ?? 'another'}`)
    next[sender] = number + 1
    came++
  }
  return parcel => {
    if (Array.isArray(parcel)) for (const message of parcel) take(message)
    else take(parcel)
    return came === count
  }
}

const item = (id: number): Item => ({
  id,
  kind: 'order',
  price: 12.5,
  tags: ['new', 'express'],
  paid: id % 2 === 0,
})

const itemNumber = ({ id, tags, paid }: Item): number =>
  tags.length === 2 && paid === (id % 2 === 0) ? id : Number.NaN

/** Writes the number into the first four bytes, and its lowest byte into the last one. */
function numbered(bytes: Uint8Array, number: number): Uint8Array {
  bytes[0] = number
  bytes[1] = number >> 8
  bytes[2] = number >> 16
  bytes[3] = number >> 24
  bytes[bytes.length - 1] = number
  return bytes
}

const bytesNumber =
  (size: number) =>
  (bytes: Uint8Array): number => {
    const [a, b, c, d] = [bytes[0], bytes[1], bytes[2], bytes[3]] as [number, number, number, number]
    return bytes.length === size && bytes[size - 1] === a ? a | (b << 8) | (c << 16) | (d << 24) : Number.NaN
  }

/** For transports that carry only bytes. */
export const encoded = (message: Message): Uint8Array =>
  message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message))

export const decoded = (bytes: Buffer, payload: Payload): Message =>
  payload === 'object' ? (JSON.parse(bytes.toString()) as Item) : bytes
