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
  Process,
  Queue,
  RecordQueue,
  RLock,
  RwLock,
  Semaphore,
  ShareableList,
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
    "NDArray { name: 'NAME', dtype: 'float64', shape: [ 2 ], isHalfChanged: false }",
    "NDArray (closed) { name: 'NAME' }",
  ],
  [
    name => ShareableList.create(name, [1, 'two']),
    "ShareableList { name: 'NAME', length: 2 }",
    "ShareableList (closed) { name: 'NAME', length: 2 }",
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

test('console.log of a handle is one line, however much is in it', async t => {
  const name = unique(`shown-${'x'.repeat(100)}`)
  const dtype = [
    ['id', '<i8'],
    ['px', '<f8', [3]],
    ['sym', 'S8'],
  ] as const
  const records = RecordQueue.create(`${name}-r`, { dtype, capacity: 4 })
  records.putSync({ id: 1n, px: [1, 2, 3], sym: 'ABC' })
  const batch = records.getBatchSync(1)
  const array = SharedArray.create(`${name}-a`, 'int32', 1000)
  const large = NDArray.create(`${name}-n`, { shape: [100, 100] })
  const queue = Queue.create(`${name}-q`)
  queue.putSync(Array.from({ length: 100 }, (_, i) => ({ number: i, text: 'one\ntwo' })))
  const message = queue.receiveSync()
  using mutex = Mutex.create(null)
  const guard = mutex.lockSync()
  const child = Process.start(new URL('data:text/javascript,'))
  const shown = [records, array, large, queue, guard, child].map(handle => inspect(handle))
  for (const [i, kind] of ['RecordQueue', 'SharedArray', 'NDArray', 'Queue', 'Guard', 'Process'].entries())
    t.regex(shown[i] as string, new RegExp(`^${kind} \\{ name: '.+ \\}$`))
  t.regex(shown[0] as string, /dtype: \[.*'sym'.*\], capacity: 4, size: 1, isEnded: false/)
  t.regex(shown[1] as string, /length: 1000, .*990 more items/)
  t.regex(shown[2] as string, /shape: \[ 100, 100 \]/)
  await child.join()
  t.regex(inspect(child), /^Process \{ name: 'Process-\d+', pid: \d+, exitCode: 0, signal: null \}$/)
  guard.release()
  for (const handle of [batch, message, queue, records, array, large, guard, child])
    t.false(inspect(handle).includes('\n'), inspect(handle))
  batch.release()
  message.release()
  for (const handle of [records, array, large, queue]) {
    handle.close()
    t.is(inspect(handle), `${handle.crossmem} (closed) { name: '${handle.name}' }`)
  }
})

test('console.log of an array shows that it is half-changed, and String() the elements', t => {
  using array = NDArray.create(null, { shape: [2], fill: 3 })
  t.is(String(array), '[3 3]')
  array.update(() => t.regex(inspect(array), /isHalfChanged: false/))
  t.is(inspect(array.subarray(0)).split('\n')[0], 'NDView float64 []')
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
  const end = (n: number) =>
    `Pipe { name: '${name}', end: ${n}, state: 'ours', usedBytesTo0: 0, usedBytesTo1: 0 }`
  t.is(show([here, there]), `[ ${end(0)}, ${end(1)} ]`)
  there.sendSync(1)
  t.is(here.recvSync(), 1, 'both ends are still here')
  here.close()
  there.close()
  t.is(show(here), `Pipe (closed) { name: '${name}' }`)
  const queue = SpscQueue.create(name, { capacity: 64 })
  const producer = queue.openProducer()
  t.is(show(queue), `SpscQueue { name: '${name}', capacity: 64, usedBytes: 0, isEnded: false }`)
  producer.pushSync(Uint8Array.of(1))
  t.is(show(producer), `SpscProducer { name: '${name}', usedBytes: 16, isEnded: false }`)
  producer.close()
  queue.close()
  t.is(show(producer), `SpscProducer (closed) { name: '${name}' }`)
})

test('console.log of what is held', async t => {
  using mutex = Mutex.create(null)
  const guard = mutex.lockSync()
  t.is(show(guard), `Guard { name: '${mutex.name}', ownerDied: false }`)
  t.regex(show(mutex), /isLocked: true/)
  guard.release()
  t.is(show(guard), 'Guard (released) { ownerDied: false }')
  using semaphore = Semaphore.create(null, 2)
  const permit = semaphore.acquireSync()
  t.is(show(permit), `Permit { name: '${semaphore.name}', ownerDied: false }`)
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
  t.is(show(held), `FileLockGuard { path: '${file.path}', shared: false, start: 3, length: 0 }`)
  held.release()
  file.close()
  t.is(show(held), 'FileLockGuard (released) { shared: false, start: 3, length: 0 }')
  t.is(show(file), `FileLock (closed) { path: '${join(folder, 'f')}' }`)
})
