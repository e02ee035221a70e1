import { type CrossmemError, Mutex, type NDArray, Queue } from 'crossmem'
import {
  connect,
  type MutexLike,
  type QueueLike,
  CrossmemError as SameError,
  type WaitOptionsLike,
} from 'crossmem/redis'

// A client of any of the packages, as far as types go.
declare const client: { duplicate(options?: object): unknown }

const far = await connect({ client, prefix: 'app', lease: 5000 })
export const wait: WaitOptionsLike = { timeout: 1000, signal: new AbortController().signal }
export const mutexes: MutexLike[] = [far.mutex('mutex'), Mutex.create(null)]
export const queues: QueueLike<number>[] = [far.queue<number>('queue'), Queue.create<number>(null)]
export const array: NDArray = await far.arrays.open('prices')
export const same: typeof CrossmemError = SameError

const guard = await far.mutex('mutex').lock(wait)
export const fence: number = guard.fence
export const lost: AbortSignal = guard.signal
await guard.release()
export const number: bigint = await far.value('count', 'int64').get()
export const mode: string | undefined = await far.locks.request(
  'name',
  { mode: 'shared' },
  async lock => lock?.mode,
)
// @ts-expect-error: there are no calls that block.
far.mutex('mutex').lockSync()
await far.close()
