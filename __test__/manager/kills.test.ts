import '../helpers/domain.js'
import { readdirSync } from 'node:fs'
import ava from 'ava'
import { list as listObjects, Process } from 'crossmem'
import { type ManagedDict, type ManagedLock, Manager } from 'crossmem/manager'
import { compiled } from '../helpers/paths.js'

const test = ava.serial
const targets = compiled('__test__', 'fixtures', 'manager', 'targets.js')
const domain = process.env.CROSSMEM_DOMAIN as string

/** How often each kind of process is killed. */
const VICTIMS = 130
const MANAGERS = 70

test('clients are killed at any moment: others go on, and nothing stays', async t => {
  const manager = await Manager.start()
  const books = await manager.dict<string, number>({ a: 0, b: 0 })
  const lock = await manager.lock()
  const callsOf = async (victims: Process[]): Promise<number> => {
    const { clients } = await manager.stats()
    const theirs = clients.filter(({ pid }) => victims.some(victim => victim.pid === pid))
    return theirs.reduce((sum, { calls }) => sum + calls, 0)
  }
  let deaths = 0
  for (let round = 0; round < VICTIMS; round += 2) {
    const victims = [0, 1].map(() =>
      Process.start(targets, { run: 'transfer', args: [books, lock], daemon: true }),
    )
    // Each is killed after another number of calls of its own: anywhere in a lock, in a call, or
    // while it connects.
    while ((await callsOf(victims)) < 5 + ((round * 7) % 60)) await new Promise(setImmediate)
    for (const victim of victims) victim.kill()
    await Promise.all(victims.map(victim => victim.join()))
    // The lock is to be had, and what it guards can be mended.
    const guard = await lock.lock()
    if (guard.ownerDied) {
      deaths++
      await books.set('b', -((await books.get('a')) as number))
      await guard.markConsistent()
    }
    t.is(((await books.get('a')) as number) + ((await books.get('b')) as number), 0)
    await guard.release()
  }
  t.true(deaths > 0)
  while ((await manager.stats()).clients.length > 1) await new Promise(setImmediate)
  const { clients, objects } = await manager.stats()
  t.is(clients[0]?.objects, 2)
  t.is(objects, 2)
  await manager.close()
})

test('managers are killed at any moment: each call is answered or rejects, and nothing stays', async t => {
  for (let round = 0; round < MANAGERS; round++) {
    const manager = await Manager.start()
    const { pid } = await manager.stats()
    const [dict, lock, queue]: [
      ManagedDict<string, number>,
      ManagedLock,
      Awaited<ReturnType<Manager['queue']>>,
    ] = await Promise.all([manager.dict({ n: 0 }), manager.lock(), manager.queue()])
    const calls = async (times: number): Promise<number> => {
      for (let i = 0; i < times; i++) {
        if (i === round) process.kill(pid, 'SIGKILL')
        await dict.update('n', (n = 0) => n + 1)
        await (await lock.lock()).release()
      }
      return times
    }
    const ends = await Promise.allSettled([calls(1e9), queue.get(), dict.get('n')])
    const codes = ends.map(end => (end.status === 'rejected' ? end.reason.code : 'answered'))
    t.deepEqual(codes.slice(0, 2), ['ERR_PEER_DIED', 'ERR_PEER_DIED'])
    await manager.close()
  }
  t.deepEqual(listObjects(), [])
  t.deepEqual(
    readdirSync('/dev/shm').filter(file => file.includes(domain) && file.includes('managers')),
    [],
  )
})
