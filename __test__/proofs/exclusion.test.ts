import '../helpers/domain.js'
import ava from 'ava'
import { Condition, list, Mutex, RLock, RwLock, Semaphore, SharedMemory } from 'crossmem'
import type { Counting, CountingOrders } from '../fixtures/proofs/count-under-each-lock.js'
import { hire, type Place, places } from '../processes/hire.js'

const test = ava.serial
/** Of each, processes and threads. */
const COUNTERS = 8
/** Increments under each kind of lock, by all together. */
const COUNT = Number(process.env.CROSSMEM_COUNT ?? 1_000_000)

for (const [make, take] of [
  [() => Mutex.create(null), 'lock'],
  [() => RLock.create(null), 'lock'],
  [() => RwLock.create(null), 'write'],
  [() => Semaphore.create(null, 1), 'acquire'],
  [() => Condition.create(null), 'lock'],
] as const) {
  using named = make()
  const { crossmem: kind } = named
  test(`${COUNTERS} processes and ${COUNTERS} threads count to ${COUNT} under a ${kind}`, async t => {
    using lock = make()
    using memory = SharedMemory.create(null, 8)
    const counting = (i: number): Counting => ({
      lock: lock.toJSON(),
      // Every fourth one doesn't block its thread; it counts less, since each of its locks takes a
      // turn of its event loop.
      take: i % 4 === 3 ? take : `${take}Sync`,
      memory: memory.name,
      count: share(i),
    })
    const crew = places.flatMap(place => new Array<Place>(COUNTERS).fill(place))
    const all = await Promise.all(
      crew.map(as => hire<CountingOrders>('proofs/count-under-each-lock', { as })),
    )
    const began = performance.now()
    await Promise.all(all.map((hired, i) => hired.tell({ do: 'count', ...counting(i) })))
    for (const end of await Promise.all(all.map(hired => hired.leave()))) t.is(end.code, 0)
    t.log(`${((performance.now() - began) / 1000).toFixed(1)} s`)
    t.is(new Float64Array(memory.buffer)[0], COUNT)
    lock.close()
    memory.close()
    t.deepEqual(list(), [])
  })
}

/** The synchronous ones share what the others leave. */
function share(i: number): number {
  const [all, slow] = [2 * COUNTERS, COUNTERS / 2]
  const slowly = Math.floor(COUNT / 50)
  if (i % 4 === 3) return slowly
  const rest = COUNT - slow * slowly
  const even = Math.floor(rest / (all - slow))
  return i === 0 ? rest - even * (all - slow - 1) : even
}
