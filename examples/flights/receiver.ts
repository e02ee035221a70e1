// A child: answers each delivery with the first and the last value of the flights.
import { type NDArray, open, type Reference } from 'crossmem'
import { leaveSignalsToParent, tellParent } from './parent.js'

/** A reference to the flights in shared memory, or a copy of them. JSON has no typed arrays. */
export type Delivery = { flights: Reference } | { values: Int32Array | number[] }
/** First and last value. */
export type Receipt = [first: number, last: number]

leaveSignalsToParent()

function receive(delivery: Delivery): Receipt {
  if ('values' in delivery) {
    const { values } = delivery
    return ends(Array.isArray(values) ? Int32Array.from(values) : values)
  }
  using flights = open(delivery.flights) as NDArray<'int32'>
  return ends(flights.data)
}

const ends = (data: Int32Array): Receipt => [data[0] as number, data[data.length - 1] as number]

process.on('message', delivery => tellParent(receive(delivery as Delivery)))
tellParent('ready')
