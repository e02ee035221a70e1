import '../helpers/domain.js'
import test from 'ava'
import {
  Barrier,
  Condition,
  Event,
  Mutex,
  NDArray,
  RLock,
  RwLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  Value,
} from 'crossmem'
import { builtIn, clones, Job, same, travel } from '../contracts/codec.js'

test('handles travel as references, wherever they are', t => {
  using memory = SharedMemory.create(null, 100)
  using array = NDArray.create(null, { shape: [2, 3] })
  using sharedArray = SharedArray.create(null, 'float64', 10)
  using value = Value.create(null, 'int32')
  using mutex = Mutex.create(null)
  using rlock = RLock.create(null)
  using rwLock = RwLock.create(null)
  using semaphore = Semaphore.create(null)
  using condition = Condition.create(null)
  using event = Event.create(null)
  using barrier = Barrier.create(null, 2)
  const handles = [
    memory,
    array,
    sharedArray,
    value,
    mutex,
    rlock,
    rwLock,
    semaphore,
    condition,
    event,
    barrier,
  ]
  for (const codec of builtIn) {
    for (const handle of handles) {
      const reference = { ...handle.toJSON() }
      t.deepEqual(Object.keys(reference), ['crossmem', 'name'])
      same(t, travel(codec, handle), reference)
      same(t, travel(codec, { id: 1, list: [handle, { handle }] }), {
        id: 1,
        list: [reference, { handle: reference }],
      })
    }
  }
  const reference = sharedArray.toJSON()
  for (const codec of clones) {
    const loop: Record<string, unknown> = {
      sharedArray,
      again: sharedArray,
      map: new Map<unknown, unknown>([[sharedArray, [new Set([sharedArray])]]]),
      // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
      sparse: [, sharedArray],
      job: Object.assign(new Job(), { sharedArray }),
      date: new Date(1),
      regexp: /a/,
      ...JSON.parse('{ "__proto__": 1 }'),
    }
    loop.loop = loop
    const back = travel(codec, loop) as Record<string, unknown>
    const expected: Record<string, unknown> = {
      ...loop,
      sharedArray: reference,
      again: reference,
      map: new Map<unknown, unknown>([[reference, [new Set([reference])]]]),
      // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
      sparse: [, reference],
      job: { id: 1, sharedArray: reference },
    }
    expected.loop = expected
    same(t, back, expected)
    t.is(back.again, back.sharedArray)
  }
})

test('further fields of a reference travel, too', t => {
  class Pipe {
    readonly crossmem = 'Pipe'
    readonly name = 'p'
    readonly other = 'stays here'
    toJSON(): object {
      return { crossmem: 'Pipe', name: 'p', end: 1 }
    }
  }
  for (const codec of builtIn) same(t, travel(codec, [new Pipe()]), [{ crossmem: 'Pipe', name: 'p', end: 1 }])
})
