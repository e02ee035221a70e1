// An ES module that uses the package: only its types are checked, by .ci/run.
import {
  type AnyHandle,
  Barrier,
  Condition,
  CrossmemError,
  Event,
  FileLock,
  type Guard,
  gc,
  list,
  locks,
  Mutex,
  NDArray,
  open,
  type Permit,
  RwLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  Value,
} from 'crossmem'

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
const either: AnyHandle = open('prices')
const mutex: Mutex = open({ crossmem: 'Mutex', name: 'ledger' })
const guard: Promise<Guard> = mutex.lock({ timeout: 5, signal: AbortSignal.timeout(5), unref: true })
const reading: Guard | undefined = RwLock.openOrCreate('catalogue').tryRead()
const permit: Permit = Semaphore.openOrCreate('slots', 2, { max: 2 }).acquireSync({ timeout: 1 })
const found: Promise<number> = Condition.open('stock').waitFor(() => (Math.random() < 2 ? 1 : undefined))
const waited: Promise<void> = Event.openOrCreate('ready', { autoReset: true }).wait()
const index: Promise<number> = Barrier.openOrCreate('start', 3, { action: () => undefined }).wait()
const result: Promise<string> = locks.request('report', { mode: 'shared' }, async lock => lock?.name ?? '')
const hits: number = Value.openOrCreate('hits', 'int32', 0).add(1)
const total: bigint = Value.openOrCreate('total', 'int64', 0n).value
const totals: Float64Array = SharedArray.create('totals', 'float64', 4).data
const file: boolean = FileLock.open('ledger.lock').lockSync({ shared: true }).shared
const names: string[] = list().map(object => object.name)
const freed: number = gc().bytes
const loaded: Promise<NDArray> = NDArray.load('prices.npy', { name: 'loaded' })
const isOurs = (error: unknown): boolean => error instanceof CrossmemError && error.code === 'ERR_NOT_FOUND'

// @ts-expect-error handles are made by create and open
new SharedMemory()
// @ts-expect-error no such dtype
NDArray.create(null, { shape: [1], dtype: 'float31' })

export {
  bytes,
  complex,
  copy,
  data,
  either,
  file,
  first,
  floats,
  found,
  freed,
  guard,
  hits,
  ids,
  index,
  isOurs,
  loaded,
  names,
  opened,
  permit,
  reading,
  result,
  sum,
  total,
  totals,
  waited,
}
