import '../helpers/domain.js'
import { inspect } from 'node:util'
import ava from 'ava'
import { CrossmemError, Mutex, Queue, SharedMemory, SpscQueue } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { kinds } from './kinds.js'

const test = ava.serial
const { signal } = new AbortController()

async function theCaller(act: () => Promise<unknown>): Promise<void> {
  await act()
}

for (const [title, make] of Object.entries(kinds)) {
  // They have no timeout, or don't fail by it.
  if (title === 'locks.request' || title === 'Pipe.wait') continue
  test(`the stack of a wait that timed out has its caller: ${title}`, async t => {
    const { wait } = make()
    const error = await t.throwsAsync(theCaller(() => wait({ signal, timeout: 5 })))
    t.like(error, { code: 'ERR_TIMEOUT' })
    t.regex(error?.stack ?? '', /theCaller/)
  })
}

test('each of the waits that fail together has an error with its own caller', async t => {
  const queue = Queue.create(null)
  async function first(): Promise<void> {
    await queue.get()
  }
  async function second(): Promise<void> {
    await queue.receive()
  }
  const waits = [first(), second()]
  queue.close()
  const [one, other] = (await Promise.allSettled(waits)).map(end => (end as PromiseRejectedResult).reason)
  t.like(one, { code: 'ERR_CLOSED' })
  t.like(other, { code: 'ERR_CLOSED' })
  t.regex(one.stack, /first/)
  t.regex(other.stack, /second/)
})

test('a reason of the caller stays what it is, even if it is a CrossmemError', async t => {
  using mutex = Mutex.create(null)
  mutex.lockSync()
  const controller = new AbortController()
  const reason = new CrossmemError('ERR_TIMEOUT', 'too slow')
  const wait = mutex.lock({ signal: controller.signal })
  controller.abort(reason)
  await t.throwsAsync(wait, { is: reason })
})

test('an error of the addon says its text once', t => {
  using ring = SpscQueue.create(null)
  using producer = ring.openProducer()
  for (const act of [
    () => SharedMemory.open(unique('no-such')),
    () => SharedMemory.open('a/b'),
    () => ring.openProducer(),
    () => producer.pushSync(new Uint8Array(2 ** 20)),
    () => producer.commit(),
  ]) {
    const error = t.throws(act) as CrossmemError
    t.true(error instanceof CrossmemError)
    t.is(inspect(error).split(error.message).length, 2, inspect(error))
  }
})
