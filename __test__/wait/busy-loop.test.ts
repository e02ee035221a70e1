import '../helpers/domain.js'
import type { ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ava from 'ava'
import {
  Barrier,
  Condition,
  Event,
  FileLock,
  JoinableQueue,
  MpmcQueue,
  Mutex,
  NDArray,
  Pipe,
  Queue,
  RLock,
  RwLock,
  Semaphore,
  SpscQueue,
} from 'crossmem'
import { unique } from '../helpers/domain.js'
import { gone, kill, message, start } from '../processes/children.js'

const test = ava.serial

type Act = () => Promise<unknown>

const MOST_CALLS = 20_000

function work(): void {
  const end = performance.now() + 0.1
  while (performance.now() < end);
}

/** Repeats the acts, all at once, until a timer fires. Returns whether that happened. */
async function letsTimersFire(acts: readonly Act[], finish: () => void): Promise<boolean> {
  let fired = false
  setTimeout(() => {
    fired = true
  })
  let calls = 0
  await Promise.allSettled(
    acts.map(async act => {
      while (!fired && calls++ < MOST_CALLS) {
        await act()
        work()
      }
      finish()
    }),
  )
  return fired
}

/**
 * What a program can repeat without a pause: each makes its acts, and what ends those that wait.
 */
const busy: Record<string, () => { acts: Act[]; finish?: () => void }> = {
  ...queueActs(),
  'Pipe.send and recvSync': () => {
    const [a, b] = Pipe.create()
    return { acts: [async () => [await a.send(1), b.recvSync()]] }
  },
  'Pipe.recv': () => {
    const [a, b] = Pipe.create()
    return { acts: [async () => [a.sendSync(1), await b.recv()]] }
  },
  'Pipe.poll': () => {
    const [a, b] = Pipe.create()
    a.sendSync(1)
    return { acts: [() => b.poll(100)] }
  },
  'Pipe.poll without success': () => {
    const [, b] = Pipe.create()
    return { acts: [() => b.poll()] }
  },
  'Pipe.wait': () => {
    const [a, b] = Pipe.create()
    a.sendSync(1)
    return { acts: [() => Pipe.wait([a, b])] }
  },
  'Mutex.lock': lockActs(() => Mutex.create(null)),
  'Mutex.lock with timeout 0': lockActs(() => Mutex.create(null), { timeout: 0 }),
  'RLock.lock': lockActs(() => RLock.create(null)),
  'RLock.lock, held': () => {
    const lock = RLock.create(null)
    lock.lockSync()
    return lockActs(() => lock)()
  },
  'Condition.lock': lockActs(() => Condition.create(null)),
  'NDArray.withLock': () => {
    const array = NDArray.create(null, { shape: [4], dtype: 'int32' })
    return { acts: [() => array.withLock(() => 0)] }
  },
  'RwLock.read': () => {
    const lock = RwLock.create(null)
    return { acts: [async () => (await lock.read()).release()] }
  },
  'RwLock.write': () => {
    const lock = RwLock.create(null)
    return { acts: [async () => (await lock.write()).release()] }
  },
  'Semaphore.acquire': () => {
    const semaphore = Semaphore.create(null)
    return { acts: [async () => (await semaphore.acquire()).release()] }
  },
  'Event.wait': () => {
    const event = Event.create(null)
    event.set()
    return { acts: [() => event.wait()] }
  },
  'Barrier.wait': () => {
    const barrier = Barrier.create(null, 1)
    return { acts: [() => barrier.wait()] }
  },
  'FileLock.lock': () => {
    const file = FileLock.open(join(tmpdir(), unique('busy')))
    return { acts: [async () => (await file.lock()).release()] }
  },
  // Here nothing is free at once: each call is served by another's release.
  'Mutex.withLock, by turns': () => {
    const mutex = Mutex.create(null)
    const act = () => mutex.withLock(() => Promise.resolve())
    return { acts: [act, act] }
  },
  'RwLock.withWrite, by turns': () => {
    const lock = RwLock.create(null)
    const act = () => lock.withWrite(() => Promise.resolve())
    return { acts: [act, act] }
  },
  'Semaphore.withPermit, by turns': () => {
    const semaphore = Semaphore.create(null)
    const act = () => semaphore.withPermit(() => Promise.resolve())
    return { acts: [act, act] }
  },
  'NDArray.withLock, by turns': () => {
    const array = NDArray.create(null, { shape: [4], dtype: 'int32' })
    const act = () => array.withLock(() => Promise.resolve())
    return { acts: [act, act] }
  },
  'FileLock.lock, by turns': () => {
    const file = FileLock.open(join(tmpdir(), unique('busy')))
    const act = async () => {
      const guard = await file.lock()
      await Promise.resolve()
      guard.release()
    }
    return { acts: [act, act] }
  },
  'Barrier.wait, two parties': () => {
    const barrier = Barrier.create(null, 2)
    const act = () => barrier.wait()
    return { acts: [act, act], finish: () => barrier.abort() }
  },
  'Event.wait, by turns': () => {
    const [one, other] = [Event.create(null, { autoReset: true }), Event.create(null, { autoReset: true })]
    one.set()
    return {
      acts: [() => one.wait().then(() => other.set()), () => other.wait().then(() => one.set())],
      finish: () => {
        one.set()
        other.set()
      },
    }
  },
  'Condition.wait, by turns': () => {
    const condition = Condition.create(null)
    let isOver = false
    const act = () =>
      condition.withLock(async () => {
        condition.notifyAll()
        if (!isOver) await condition.wait()
      })
    return {
      acts: [act, act],
      finish: () => {
        isOver = true
        void condition.withLock(() => condition.notifyAll())
      },
    }
  },
}

function lockActs(make: () => Mutex | RLock | Condition, options?: { timeout: number }) {
  return () => {
    const lock = make()
    return { acts: [async () => (await lock.lock(options)).release()] }
  }
}

function queueActs() {
  const bytes = Uint8Array.of(1)
  const oneByOne: Record<string, (queue: Queue<number>) => Act> = {
    'Queue.put': queue => async () => [await queue.put(1), queue.getSync()],
    'Queue.putMany': queue => async () => [await queue.putMany([1, 2]), queue.getManySync(2)],
    'Queue.get': queue => async () => [queue.putSync(1), await queue.get()],
    'Queue.get with a timeout': queue => async () => [queue.putSync(1), await queue.get({ timeout: 1e6 })],
    'Queue.get with timeout 0': queue => async () => [queue.putSync(1), await queue.get({ timeout: 0 })],
    'Queue.get without success': queue => () => queue.get({ timeout: 0 }).catch(() => undefined),
    'Queue.getMany': queue => async () => [queue.putSync(1), await queue.getMany(2)],
    'Queue.receive': queue => async () => [queue.putSync(1), (await queue.receive()).release()],
    'Queue, iterated': queue => {
      const values = queue[Symbol.asyncIterator]()
      return async () => [queue.putSync(1), await values.next()]
    },
    'Queue.messages': queue => {
      const messages = queue.messages()
      return async () => {
        queue.putSync(1)
        const { value } = await messages.next()
        if (value) value.release()
      }
    },
    'Queue.readable': queue => {
      const reader = queue.readable.getReader()
      return async () => [queue.putSync(1), await reader.read()]
    },
    'Queue.writable': queue => {
      const writer = queue.writable.getWriter()
      return async () => [await writer.write(1), queue.getSync()]
    },
    'Queue.put and get': queue => async () => [await queue.put(1), await queue.get()],
  }
  const acts: Record<string, () => { acts: Act[] }> = {}
  for (const [title, make] of Object.entries(oneByOne))
    acts[title] = () => ({ acts: [make(Queue.create<number>(null))] })
  acts['Queue with redeliver, iterated'] = () => ({
    acts: [oneByOne['Queue, iterated']?.(Queue.create<number>(null, { redeliver: true })) as Act],
  })
  acts['JoinableQueue.get and join'] = () => {
    const queue = JoinableQueue.create(null)
    return { acts: [async () => [queue.putSync(1), await queue.get(), queue.taskDone(), await queue.join()]] }
  }
  acts['MpmcQueue.push and pop'] = () => {
    const queue = MpmcQueue.create(null)
    return { acts: [async () => [await queue.push(bytes), await queue.pop()]] }
  }
  acts['SpscQueue.push and pop'] = () => {
    const queue = SpscQueue.create(null)
    const [producer, consumer] = [queue.openProducer(), queue.openConsumer()]
    return { acts: [async () => [await producer.push(bytes), await consumer.pop()]] }
  }
  acts['SpscQueue.pushMany and popMany'] = () => {
    const queue = SpscQueue.create(null)
    const [producer, consumer] = [queue.openProducer(), queue.openConsumer()]
    return { acts: [async () => [await producer.pushMany([bytes]), await consumer.popMany(2)]] }
  }
  return acts
}

for (const [title, make] of Object.entries(busy)) {
  test(`a timer fires while a program repeats: ${title}`, async t => {
    const { acts, finish = () => undefined } = make()
    t.true(await letsTimersFire(acts, finish))
  })
}

test('calls keep their order when they let the event loop turn', async t => {
  const queue = Queue.create<number>(null, { capacity: 4096 })
  const taken: number[] = []
  let put = 0
  let turned = false
  setTimeout(() => {
    turned = true
  })
  for (let calls = 0; !turned && calls < MOST_CALLS; calls++) {
    queue.putSync(put++)
    queue.putSync(put++)
    const gets = [queue.get(), queue.get()]
    for (const get of gets) get.then(value => taken.push(value))
    await Promise.all(gets)
    work()
  }
  t.true(turned)
  t.deepEqual(
    taken,
    taken.map((_, at) => at),
  )
  queue.close()
})

test('a get that lets the event loop turn takes nothing when it is aborted, or its handle closed', async t => {
  using queue = Queue.create<number>(null, { capacity: 4 })
  for (let at = 0; at < 4; at++) queue.putSync(at)
  const ends: unknown[] = []
  for (const end of ['abort', 'close']) {
    const again = Queue.open<number>(queue.name)
    const controller = new AbortController()
    let isOver = false
    // It runs in the turn of the loop that a get waits for.
    setTimeout(() => {
      isOver = true
      if (end === 'abort') controller.abort(end)
      else again.close()
    })
    try {
      for (let calls = 0; calls < MOST_CALLS; calls++) {
        const value = await again.get({ signal: controller.signal })
        queue.putSync(value)
        work()
        if (isOver) again.close()
      }
    } catch (error) {
      ends.push(error)
    }
    t.is(queue.size, 4)
  }
  t.is(ends[0], 'abort')
  t.like(ends[1], { code: 'ERR_CLOSED' })
})

// Windows has no signals that a program could hear.
const [signal, code] = process.platform === 'win32' ? ([undefined, 8] as const) : (['SIGTERM', 7] as const)

for (const deed of ['iterate', 'get', 'getMany', 'receive', 'stream']) {
  test(`a process hears ${signal ?? 'messages'} although another keeps the queue full: ${deed}`, async t => {
    using queue = Queue.create(null)
    const children = ['put', deed].map(each => start('wait/work-without-pause', queue.name, each))
    t.teardown(() => Promise.all(children.map(kill)))
    const [putter, taker] = children as [ChildProcess, ChildProcess]
    await Promise.all(children.map(child => message(child)))
    if (signal) taker.kill(signal)
    else taker.send('end')
    t.is((await gone(taker)).code, code)
    // The process that put has always had its turns: it waited for room.
    putter.send('end')
    t.is((await gone(putter)).code, 8)
  })
}

test(`a process hears ${signal ?? 'messages'} although it locks a free mutex again and again`, async t => {
  using mutex = Mutex.create(null)
  const child = start('wait/work-without-pause', mutex.name)
  t.teardown(() => kill(child))
  await message(child)
  if (signal) child.kill(signal)
  else child.send('end')
  t.is((await gone(child)).code, code)
})
