/** What queues carry in tests: whose it is, its number, and so many bytes behind that. */
export interface Parcel {
  producer: number
  id: number
  filling: number
}

/** How parcels travel. */
export interface Packing<T> {
  pack(parcel: Parcel): T
  /** Throws if it isn't as it was packed: half-written, or of two. */
  unpack(packed: T): Parcel
}

/** Bytes of a parcel without filling. */
export const LABEL = 12

export const inBytes: Packing<Uint8Array> = {
  pack: ({ producer, id, filling }) => {
    const packed = new Uint8Array(LABEL + filling).fill(id)
    packed.set(new Uint8Array(Int32Array.of(producer, id, filling).buffer))
    return packed
  },
  unpack: packed => {
    const [producer = 0, id = 0, filling = 0] = new Int32Array(packed.slice(0, LABEL).buffer)
    const isWhole = packed.length === LABEL + filling && packed.indexOf(id & 255, LABEL) < LABEL + 1
    if (!isWhole || packed.subarray(LABEL).some(byte => byte !== (id & 255))) throw damaged(packed)
    return { producer, id, filling }
  },
}

type Values = [producer: number, id: number, filling: string]

export const inValues: Packing<Values> = {
  pack: ({ producer, id, filling }) => [producer, id, String(id % 10).repeat(filling)],
  unpack: packed => {
    const [producer, id, { length: filling }] = packed
    if (packed[2] !== String(id % 10).repeat(filling)) throw damaged(packed)
    return { producer, id, filling }
  },
}

const damaged = (packed: unknown): Error => new Error(`damaged: ${JSON.stringify(packed).slice(0, 200)}`)

/** How parcels travel in objects of a kind. */
export const packingOf = (kind: string): Packing<unknown> =>
  (kind === 'MpmcQueue' || kind === 'SpscQueue' ? inBytes : inValues) as Packing<unknown>
