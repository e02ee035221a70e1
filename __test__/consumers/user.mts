// An ES module that uses the package: only its types are checked, by .ci/run.
import { CrossmemError, gc, list, NDArray, open, SharedMemory } from 'crossmem'

const memory: SharedMemory = SharedMemory.create(null, 16, { persist: false })
const bytes: Uint8Array = memory.bytes
const array = NDArray.create('prices', { shape: [2, 3], dtype: 'float32' })
const data: Float32Array = array.data
const first: number = array.get(0, 0)
const ids: bigint = NDArray.create(null, { shape: 3, dtype: 'int64', fill: 5n }).get(0)
const copy: Float32Array = array.snapshot({ timeout: 100 })
const sum: number = array.update((values, { ownerDied }) => (ownerDied ? 0 : (values[0] ?? 0)))
const opened: NDArray = open({ crossmem: 'NDArray', name: 'prices' })
const floats: Float32Array = NDArray.from(null, Float32Array.of(1, 2)).data
const complex: Float64Array = NDArray.from(null, Float64Array.of(1, 2), { dtype: 'complex128' }).data
const either: SharedMemory | NDArray = open('prices')
const names: string[] = list().map(object => object.name)
const freed: number = gc().bytes
const loaded: Promise<NDArray> = NDArray.load('prices.npy', { name: 'loaded' })
const isOurs = (error: unknown): boolean => error instanceof CrossmemError && error.code === 'ERR_NOT_FOUND'

// @ts-expect-error handles are made by create and open
new SharedMemory()
// @ts-expect-error no such dtype
NDArray.create(null, { shape: [1], dtype: 'float31' })

export { bytes, complex, copy, data, either, first, floats, freed, ids, isOurs, loaded, names, opened, sum }
