// Every call that takes options refuses what is no options, and options that it doesn't know. Which
// calls take options, the shipped declarations say.
import '../helpers/domain.js'
import ava from 'ava'
import { CrossmemError } from 'crossmem'
import { Manager, SharedMemoryManager } from 'crossmem/manager'
import { publicApi } from '../helpers/declarations.js'

const test = ava.serial
const act = () => undefined

/** A call with something in the place of its options. */
type Call = (options: never) => unknown

const wrong: unknown[] = [100, 'x', { timout: 1 }, null, [], new Map(), AbortSignal.abort()]

async function callsOf(manager: Manager): Promise<Record<string, Call>> {
  const [dict, lock, condition] = [await manager.dict(), await manager.lock(), await manager.condition()]
  const [semaphore, event] = [await manager.semaphore(), await manager.event()]
  const [barrier, queue, tasks] = [
    await manager.barrier(2),
    await manager.queue(),
    await manager.joinableQueue(),
  ]
  const guard = await condition.lock()
  return {
    'Manager.start': o => Manager.start(o),
    'Manager.serve': o => Manager.serve(o),
    'Manager.connect': o => Manager.connect('ws://127.0.0.1:1', o),
    'Manager.queue': o => manager.queue(o),
    'Manager.joinableQueue': o => manager.joinableQueue(o),
    'SharedMemoryManager.start': o => SharedMemoryManager.start(o),
    'ManagedDict.watch': o => dict.watch('a', o),
    'ManagedDict.watchAll': o => dict.watchAll(o),
    'ManagedLock.lock': o => lock.lock(o),
    'ManagedLock.withLock': o => lock.withLock(act, o),
    'ManagedCondition.wait': o => condition.wait(guard, o),
    'ManagedCondition.waitFor': o => condition.waitFor(guard, () => true, o),
    'ManagedSemaphore.acquire': o => semaphore.acquire(o),
    'ManagedEvent.wait': o => event.wait(o),
    'ManagedBarrier.wait': o => barrier.wait(o),
    'ManagedQueue.put': o => queue.put(1, o),
    'ManagedQueue.get': o => queue.get(o),
    'ManagedJoinableQueue.join': o => tasks.join(o),
  }
}

test('every call that takes options refuses what is none', async t => {
  const manager = await Manager.serve()
  t.teardown(() => manager.close())
  const calls = await callsOf(manager)
  const taking = publicApi('manager').filter(({ takesOptions }) => takesOptions)
  t.deepEqual(taking.map(({ name }) => name).sort(), Object.keys(calls).sort())
  for (const [name, call] of Object.entries(calls)) {
    for (const options of wrong) {
      const error = await (async () => call(options as never))().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      t.true(error instanceof CrossmemError, `${name} with ${String(options)}: ${error}`)
      t.is((error as CrossmemError).code, 'ERR_INVALID_ARG')
      t.regex((error as CrossmemError).message, /^(options are an object|unknown option ")/)
    }
  }
})
