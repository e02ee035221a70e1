// A child process: receives an array in one of several ways, and answers with its first and last
// element.
import { type NDArray, open, type Reference } from 'crossmem'

export type Parcel =
  | { kind: 'nothing' }
  /** `keep`: the array stays open for the next reference to it. */
  | { kind: 'reference'; reference: Reference; keep: boolean }
  | { kind: 'typed array'; data: Float64Array }
  | { kind: 'base64'; text: string }
  /** A part of `total` numbers, which begins at `offset`. */
  | { kind: 'part'; numbers: number[]; offset: number; total: number }

export type Ends = [first: number, last: number]

const ends = (data: Float64Array): Ends => [data[0] as number, data[data.length - 1] as number]

const kept = new Map<string, NDArray<'float64'>>()

function endsOfKept(reference: Reference): Ends {
  const array = kept.get(reference.name) ?? (open(reference) as NDArray<'float64'>)
  kept.set(reference.name, array)
  return ends(array.data)
}

function endsOfOpened(reference: Reference): Ends {
  const array = open(reference) as NDArray<'float64'>
  // After the answer has been sent.
  process.nextTick(() => array.close())
  return ends(array.data)
}

let parts = new Float64Array(0)

function receive(parcel: Parcel): Ends | undefined {
  switch (parcel.kind) {
    case 'nothing':
      return [0, 0]
    case 'typed array':
      return ends(parcel.data)
    case 'base64': {
      const { buffer, byteOffset, byteLength } = Buffer.from(parcel.text, 'base64')
      return ends(new Float64Array(buffer, byteOffset, byteLength / 8))
    }
    case 'part': {
      const { numbers, offset, total } = parcel
      if (offset === 0) parts = new Float64Array(total)
      parts.set(numbers, offset)
      return offset + numbers.length === total ? ends(parts) : undefined
    }
    case 'reference':
      return parcel.keep ? endsOfKept(parcel.reference) : endsOfOpened(parcel.reference)
  }
}

process.on('message', (parcel: Parcel) => {
  const answer = receive(parcel)
  if (answer) process.send?.(answer)
})
process.send?.('ready')
