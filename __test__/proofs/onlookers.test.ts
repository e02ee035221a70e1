import '../helpers/domain.js'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import ava from 'ava'
import {
  Barrier,
  Condition,
  JoinableQueue,
  MpmcQueue,
  Mutex,
  Queue,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from 'crossmem'
import { root } from '../helpers/paths.js'
import { deaths, die } from '../processes/deaths.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial
const CLI = join(root, 'dist', 'cli', 'main.js')

interface HolderInfo {
  alive: boolean
  count: number
}

// After the death this process only reads: no call of its own takes, releases or repairs anything.
for (const place of places) {
  for (const death of deaths) {
    const title = (what: string) => `${what}: ${death}, ${place}`

    test(title('no dead agent holds a lock or a permit, for a process that only looks'), async t => {
      using mutex = Mutex.create(null)
      using lock = RLock.create(null)
      using condition = Condition.create(null)
      using value = Value.create(null, 'int32')
      using array = SharedArray.create(null, 'int32', 4)
      using semaphore = Semaphore.create(null, 3)
      const lockables = [mutex, lock, condition, value, array]
      const peer = await startPeer(t, place)
      for (const one of lockables) await (await peer.open(one)).take('lock')
      const far = await peer.open(semaphore)
      await far.take('acquire')
      await far.take('acquire')
      t.deepEqual(
        lockables.map(one => one.isLocked),
        lockables.map(() => true),
      )
      t.is(semaphore.value, 1)
      await die(peer, death)
      t.deepEqual(
        lockables.map(one => one.isLocked),
        lockables.map(() => false),
      )
      t.is(semaphore.value, 3)
    })

    for (const how of ['wait', 'waitSync'] as const) {
      // A thread that is blocked can only be terminated.
      if (how === 'waitSync' && death !== 'kill') continue
      test(title(`no dead party waits at a barrier, for a process that only looks: ${how}`), async t => {
        using barrier = Barrier.create(null, 2)
        const peer = await startPeer(t, place)
        await (await peer.open(barrier)).begin(how)
        t.deepEqual([barrier.waiting, barrier.isBroken], [1, false])
        await die(peer, death)
        t.deepEqual([barrier.waiting, barrier.isBroken], [0, true])
        barrier.reset()
        t.deepEqual([barrier.waiting, barrier.isBroken], [0, false])
      })
    }

    test(title('a dead leader leads no meeting, for a process that only looks'), async t => {
      using barrier = Barrier.create(null, 1)
      const peer = await startPeer(t, place)
      await peer.it('deeds').do('leadForever', { name: barrier.name })
      t.deepEqual([barrier.waiting, barrier.isBroken], [1, false])
      await die(peer, death)
      t.deepEqual([barrier.waiting, barrier.isBroken], [0, true])
    })

    test(title('no dead worker has a task, for a process that only looks'), async t => {
      using tasks = JoinableQueue.create<number>(null)
      using again = JoinableQueue.create<number>(null, { redeliver: true })
      const peer = await startPeer(t, place)
      for (const queue of [tasks, again]) {
        queue.putManySync([1, 2, 3])
        const far = await peer.open(queue)
        await far.do('get')
        await far.take('receive')
      }
      await die(peer, death)
      t.deepEqual([tasks.unfinished, tasks.failed, tasks.size], [1, 2, 1])
      t.deepEqual([again.unfinished, again.failed, again.size], [3, 0, 3])
    })

    test(title('what a dead reader had is in the queue, for a process that only looks'), async t => {
      using queue = Queue.create<number>(null, { capacity: 2, redeliver: true })
      using raw = MpmcQueue.create(null, { capacity: 2, redeliver: true })
      queue.putManySync([1, 2])
      raw.tryPush(Uint8Array.of(1))
      const peer = await startPeer(t, place)
      await (await peer.open(queue)).take('receive')
      await (await peer.open(raw)).do('peek')
      await die(peer, death)
      t.deepEqual([queue.isFull, queue.isEmpty, queue.size], [true, false, 2])
      t.deepEqual([raw.isFull, raw.isEmpty, raw.size], [false, false, 1])
    })

    test(title('a dead holder is named as dead'), async t => {
      using mutex = Mutex.create(null)
      const peer = await startPeer(t, place)
      await (await peer.open(mutex)).take('lock')
      const holders = () => {
        const printed = execFileSync(process.execPath, [CLI, 'inspect', mutex.name, '--json'])
        return JSON.parse(String(printed)).holders.map(({ alive, count }: HolderInfo) => [alive, count])
      }
      t.deepEqual(holders(), [[true, 1]])
      await die(peer, death)
      t.deepEqual(holders(), [[false, 1]])
    })
  }
}
