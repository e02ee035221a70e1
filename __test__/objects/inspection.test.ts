import '../helpers/domain.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import ava from 'ava'
import {
  Barrier,
  Condition,
  Event,
  FileLock,
  JoinableQueue,
  locks,
  MpmcQueue,
  Mutex,
  NDArray,
  Pipe,
  Queue,
  RLock,
  RwLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SpscQueue,
  Value,
} from 'crossmem'
import { unique } from '../helpers/domain.js'

const test = ava.serial
const show = (value: unknown) => inspect(value, { breakLength: Number.POSITIVE_INFINITY })

const handles: [make: (name: string) => { close(): void; name: string }, open: string, closed: string][] = [
  [name => Mutex.create(name), "Mutex { name: 'NAME', isLocked: false }", "Mutex (closed) { name: 'NAME' }"],
  [name => RLock.create(name), "RLock { name: 'NAME', isLocked: false }", "RLock (closed) { name: 'NAME' }"],
  [
    name => RwLock.create(name),
    "RwLock { name: 'NAME', isWriting: false, readers: 0 }",
    "RwLock (closed) { name: 'NAME' }",
  ],
  [
    name => Semaphore.create(name, 2, { max: 3 }),
    "Semaphore { name: 'NAME', max: 3, permits: 2 }",
    "Semaphore (closed) { name: 'NAME' }",
  ],
  [
    name => Condition.create(name),
    "Condition { name: 'NAME', isLocked: false }",
    "Condition (closed) { name: 'NAME' }",
  ],
  [name => Event.create(name), "Event { name: 'NAME', isSet: false }", "Event (closed) { name: 'NAME' }"],
  [
    name => Barrier.create(name, 2),
    "Barrier { name: 'NAME', parties: 2, waiting: 0, isBroken: false }",
    "Barrier (closed) { name: 'NAME' }",
  ],
  [
    name => Value.create(name, 'int32', 42),
    "Value { name: 'NAME', dtype: 'int32', isLocked: false, value: 42 }",
    "Value (closed) { name: 'NAME' }",
  ],
  [
    name => SharedArray.create(name, 'int8', [1, 2]),
    "SharedArray { name: 'NAME', dtype: 'int8', length: 2, isLocked: false, data: Int8Array(2) [ 1, 2 ] }",
    "SharedArray (closed) { name: 'NAME' }",
  ],
  [
    name => NDArray.create(name, { shape: [2], fill: 3 }),
    'NDArray float64 [2]\n[3 3]',
    'NDArray float64 [2] (closed)',
  ],
  [
    name => SharedMemory.create(name, 10),
    "SharedMemory { name: 'NAME', byteLength: 10 }",
    "SharedMemory (closed) { name: 'NAME', byteLength: 10 }",
  ],
  [
    name => MpmcQueue.create(name, { capacity: 4 }),
    "MpmcQueue { name: 'NAME', capacity: 4, size: 0, isEnded: false }",
    "MpmcQueue (closed) { name: 'NAME' }",
  ],
]

test('console.log shows the name and the state of a handle, or that it is closed', t => {
  for (const [make, open, closed] of handles) {
    const handle = make(unique('shown'))
    const shown = (value: unknown) => show(value).replaceAll(handle.name, 'NAME')
    t.is(shown(handle), open)
    t.false(inspect([[handle]], { depth: 0 }).includes(handle.name))
    handle.close()
    t.is(shown(handle), closed)
    t.is(shown([handle]), `[ ${closed} ]`)
  }
})

test('console.log of queues of values', t => {
  const name = unique('shown')
  for (const Class of [Queue, JoinableQueue]) {
    const queue = Class.create<object>(name, { capacity: 4 })
    const { name: title } = queue.constructor
    queue.putSync({ x: 1 })
    t.regex(
      show(queue),
      new RegExp(`^${title} { name: '${name}', codec: 'msgpack', capacity: 4, size: 1, isEnded: false }$`),
    )
    const message = queue.receiveSync()
    t.is(show(message), 'Message { value: { x: 1 }, redelivered: false }')
    message.release()
    t.is(show(message), 'Message (released) { value: { x: 1 }, redelivered: false }')
    queue.close()
    t.is(show(queue), `${title} (closed) { name: '${name}' }`)
  }
})

test('console.log of channels, which gives no end of a pipe away', t => {
  const name = unique('shown')
  const [here, there] = Pipe.create({ name })
  t.is(show([here, there]), `[ Pipe { name: '${name}', end: 0 }, Pipe { name: '${name}', end: 1 } ]`)
  there.sendSync(1)
  t.is(here.recvSync(), 1, 'both ends are still here')
  here.close()
  there.close()
  t.is(show(here), `Pipe (closed) { name: '${name}' }`)
  const queue = SpscQueue.create(name, { capacity: 64 })
  const producer = queue.openProducer()
  t.is(show(queue), `SpscQueue { name: '${name}', capacity: 64, usedBytes: 0, isEnded: false }`)
  t.is(show(producer), `SpscProducer { name: '${name}' }`)
  producer.close()
  queue.close()
  t.is(show(producer), `SpscProducer (closed) { name: '${name}' }`)
})

test('console.log of what is held', async t => {
  using mutex = Mutex.create(null)
  const guard = mutex.lockSync()
  t.is(show(guard), 'Guard { ownerDied: false }')
  t.regex(show(mutex), /isLocked: true/)
  guard.release()
  t.is(show(guard), 'Guard (released) { ownerDied: false }')
  using semaphore = Semaphore.create(null, 2)
  const permit = semaphore.acquireSync()
  t.is(show(permit), 'Permit { ownerDied: false }')
  permit.consume()
  t.is(show(permit), 'Permit (released) { ownerDied: false }')
  await locks.request('name', lock =>
    t.is(show(lock), "Lock { name: 'name', mode: 'exclusive', recovered: false }"),
  )
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = FileLock.open(join(folder, 'f'))
  const held = file.lockSync({ start: 3 })
  t.is(show(file), `FileLock { path: '${join(folder, 'f')}', held: 1 }`)
  t.is(show(held), 'FileLockGuard { shared: false, start: 3, length: 0 }')
  held.release()
  file.close()
  t.is(show(held), 'FileLockGuard (released) { shared: false, start: 3, length: 0 }')
  t.is(show(file), `FileLock (closed) { path: '${join(folder, 'f')}' }`)
})
