import { type AnyHandle, NDArray, Queue, SharedArray, Value } from 'crossmem'
import { storms } from '../storm/storm.js'
import { make, streams, title } from '../storm/streams.js'
import { lockKinds } from './lanes.js'

/** The objects that all lives in a soak use, by the kind of their lane. */
export function makeObjects(): Map<string, readonly AnyHandle[]> {
  const objects: (readonly [string, readonly AnyHandle[]])[] = [
    ...lockKinds.map(kind => [kind, storms[kind].make()] as const),
    [
      'NDArray',
      [
        NDArray.from(
          null,
          Float64Array.from({ length: 600 }, (_, i) => i),
          { shape: [20, 30] },
        ),
        NDArray.from(
          null,
          Int32Array.from({ length: 600 }, (_, i) => i),
          { shape: [20, 30], order: 'F' },
        ),
      ] as NDArray[],
    ],
    ['Value', [Value.create(null, 'int32', 0), Value.create(null, 'int32', 0)] as Value[]],
    ['SharedArray', [SharedArray.create(null, 'float64', 8)] as SharedArray[]],
    ['Pipe', [Queue.create(null, { capacity: 16 }) as unknown as AnyHandle]],
    ...streams.map(stream => [title(stream), [make(stream) as unknown as AnyHandle]] as const),
  ]
  return new Map(objects)
}
