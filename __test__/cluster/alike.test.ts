import '../helpers/domain.js'
import { Barrier, Condition, Event, JoinableQueue, Mutex, Queue, RwLock, Semaphore, Value } from 'crossmem'
import { testAlike, type User } from '../contracts/alike.js'
import { connection, serverTests } from '../processes/redis.js'
import { clients } from '../processes/redis-clients.js'

/** Handles that close with the test. */
const local = (open: Set<{ close(): void }>): User => {
  const keep = <Handle extends { close(): void }>(handle: Handle): Handle => {
    open.add(handle)
    return handle
  }
  return {
    mutex: name => keep(Mutex.openOrCreate(name)),
    rwLock: name => keep(RwLock.openOrCreate(name)),
    semaphore: (name, permits, max) => keep(Semaphore.openOrCreate(name, permits, { max })),
    event: (name, autoReset) => keep(Event.openOrCreate(name, { autoReset })),
    condition: name => keep(Condition.openOrCreate(name)),
    barrier: (name, parties, action) => keep(Barrier.openOrCreate(name, parties, { action })),
    value: name => keep(Value.openOrCreate(name, 'float64')),
    queue: (name, options) => keep(Queue.openOrCreate(name, options)),
    joinableQueue: (name, options) => keep(JoinableQueue.openOrCreate(name, options)),
  }
}

testAlike('one machine', async t => {
  const open = new Set<{ close(): void }>()
  t.teardown(() => {
    for (const handle of open) handle.close()
  })
  const user = local(open)
  return { here: user, there: user }
})

const remote = (far: Awaited<ReturnType<typeof connection>>): User => ({
  mutex: name => far.mutex(name),
  rwLock: name => far.rwLock(name),
  semaphore: (name, permits, max) => far.semaphore(name, permits, { max }),
  event: (name, autoReset) => far.event(name, { autoReset }),
  condition: name => far.condition(name),
  barrier: (name, parties, action) => far.barrier(name, parties, { action }),
  value: name => far.value(name),
  queue: (name, options) => far.queue(name, options),
  joinableQueue: (name, options) => far.joinableQueue(name, options),
})

serverTests(program => {
  for (const by of ['socket', 'loopback'] as const) {
    for (const client of clients) {
      testAlike(`${program.name} by ${client} over ${by}`, async t => ({
        here: remote(await connection(t, program, { by, client })),
        there: remote(await connection(t, program, { by, client })),
      }))
    }
  }
})
