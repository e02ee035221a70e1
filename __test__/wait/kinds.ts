import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Barrier,
  Condition,
  Event,
  FileLock,
  JoinableQueue,
  locks,
  Mutex,
  NDArray,
  Pipe,
  Queue,
  RwLock,
  Semaphore,
  SpscQueue,
} from 'crossmem'
import { unique } from '../helpers/domain.js'

export interface Waiting {
  /** Begins a wait that lasts until `end`. */
  wait(options: { signal: AbortSignal; timeout?: number }): Promise<unknown>
  end?(): void
}

/** One wait of each kind. */
export const kinds: Record<string, () => Waiting> = {
  'Queue.get': () => {
    const queue = Queue.create(null)
    return { wait: options => queue.get(options), end: () => queue.putSync(1) }
  },
  'Queue.put': () => {
    const queue = Queue.create(null, { capacity: 1 })
    queue.putSync(0)
    return { wait: options => queue.put(1, options), end: () => queue.getSync() }
  },
  'Queue.receive': () => {
    const queue = Queue.create(null)
    return { wait: options => queue.receive(options), end: () => queue.putSync(1) }
  },
  'JoinableQueue.join': () => {
    const queue = JoinableQueue.create(null)
    queue.putSync(1)
    queue.getSync()
    return { wait: options => queue.join(options), end: () => queue.taskDone() }
  },
  'SpscConsumer.pop': () => {
    const queue = SpscQueue.create(null)
    const [producer, consumer] = [queue.openProducer(), queue.openConsumer()]
    return { wait: options => consumer.pop(options), end: () => producer.pushSync(new Uint8Array(1)) }
  },
  'Pipe.recv': () => {
    const [here, there] = Pipe.create()
    return { wait: options => here.recv(options), end: () => there.sendSync(1) }
  },
  'Pipe.wait': () => {
    const [here, there] = Pipe.create()
    // Its timeout isn't a failure.
    const wait: Waiting['wait'] = async options => {
      if ((await Pipe.wait([here], options)).length === 0)
        throw Object.assign(new Error('timed out'), { code: 'ERR_TIMEOUT' })
    }
    return { wait, end: () => there.sendSync(1) }
  },
  'Mutex.lock': () => {
    const mutex = Mutex.create(null)
    const guard = mutex.lockSync()
    return { wait: options => mutex.lock(options), end: () => guard.release() }
  },
  'NDArray.withLock': () => {
    const array = NDArray.create(null, { shape: [1], dtype: 'int8' })
    let release = (): void => undefined
    void array.withLock(
      () =>
        new Promise<void>(resolve => {
          release = resolve
        }),
    )
    return { wait: options => array.withLock(() => undefined, options), end: () => release() }
  },
  'RwLock.read': () => {
    const lock = RwLock.create(null)
    const guard = lock.writeSync()
    return { wait: options => lock.read(options), end: () => guard.release() }
  },
  'Semaphore.acquire': () => {
    const semaphore = Semaphore.create(null, 0)
    return { wait: options => semaphore.acquire(options), end: () => semaphore.release() }
  },
  'Event.wait': () => {
    const event = Event.create(null)
    return { wait: options => event.wait(options), end: () => event.set() }
  },
  'Condition.wait': () => {
    const condition = Condition.create(null)
    return {
      wait: options => condition.withLock(() => condition.wait(options)),
      end: () => void condition.withLock(() => condition.notify()),
    }
  },
  'Barrier.wait': () => {
    const barrier = Barrier.create(null, 2)
    return { wait: options => barrier.wait(options), end: () => void barrier.wait() }
  },
  'FileLock.lock': () => {
    const path = join(tmpdir(), unique('signals'))
    const [file, other] = [FileLock.open(path), FileLock.open(path)]
    const guard = other.lockSync()
    return { wait: options => file.lock(options), end: () => guard.release() }
  },
  'locks.request': () => {
    const name = unique('signals')
    let release = (): void => undefined
    void locks.request(
      name,
      () =>
        new Promise<void>(resolve => {
          release = resolve
        }),
    )
    return { wait: ({ signal }) => locks.request(name, { signal }, () => undefined), end: () => release() }
  },
}
