import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import ava, { type ExecutionContext } from 'ava'
import { type ManagedDict, Manager } from 'crossmem/manager'
import type { ManagerOrders } from '../fixtures/manager/use-manager.js'
import { type Hired, hire } from '../processes/hire.js'

const authkey = 'a key that nobody guesses, of 32+ bytes'
const name = `cm${randomBytes(3).toString('hex')}`
// A piece of 198.51.100.0/24, a network for documentation.
const [here, there] = ['198.51.100.213', '198.51.100.214']

const ip = (command: string): boolean => spawnSync('ip', command.split(' ')).status === 0

/** A network namespace with an address of its own, and a cable to it. */
const hasHosts =
  process.platform === 'linux' &&
  ip(`netns add ${name}`) &&
  ip(`link add ${name} type veth peer name ${name}b netns ${name}`) &&
  ip(`addr add ${here}/30 dev ${name}`) &&
  ip(`link set ${name} up`) &&
  ip(`-n ${name} addr add ${there}/30 dev ${name}b`) &&
  ip(`-n ${name} link set ${name}b up`)

const test = hasHosts ? ava.serial : ava.serial.skip

ava.after.always(() => {
  ip(`link del ${name}`)
  ip(`netns del ${name}`)
})

const cut = (): boolean => ip(`link set ${name} down`)
const mend = (): boolean => ip(`link set ${name} up`)

interface Scene {
  manager: Manager
  user: Hired<ManagerOrders>
}

/** A manager here, and a client on the other host. */
async function scene(t: ExecutionContext, heartbeat: number): Promise<Scene> {
  mend()
  const listen = { host: here as string, authkey, insecure: true, heartbeat }
  const manager = await Manager.start({ listen })
  t.teardown(() => manager.close())
  const user = await hire<ManagerOrders>('manager/use-manager', { by: ['ip', 'netns', 'exec', name] })
  t.teardown(() => user.kill())
  const options = { authkey, insecure: true, heartbeat }
  await user.tell({ do: 'connect', name: manager.url as string, options })
  return { manager, user }
}

const codes = ['ERR_PEER_DIED', 'ERR_LOST']

test('a client of another host is served', async t => {
  const { manager, user } = await scene(t, 60_000)
  const dict = await manager.dict<unknown>({ a: 1 })
  await manager.publish('d', dict)
  await user.tell({ do: 'open', as: 'd', published: 'd' })
  t.is(await user.tell({ do: 'invoke', on: 'd', method: 'get', args: ['a'] }), 1)
  await user.tell({ do: 'invoke', on: 'd', method: 'set', args: ['b', 2] })
  t.is(await dict.get('b'), 2)
})

test('a call in the middle of which the network is cut is carried out once, when it is mended', async t => {
  const { manager, user } = await scene(t, 60_000)
  const list = await manager.list<number>()
  await manager.publish('l', list)
  await user.tell({ do: 'open', as: 'l', published: 'l' })
  cut()
  const push = user.begin({ do: 'invoke', on: 'l', method: 'push', args: [1] })
  await push.waits
  t.is(await list.length(), 0)
  mend()
  t.is(await push.result, 1)
  t.deepEqual(await list.toArray(), [1])
})

test('a lock whose holder is cut off goes on with a higher fence, and the holder is told', async t => {
  const { manager, user } = await scene(t, 600)
  const lock = await manager.lock()
  await manager.publish('lock', lock)
  await user.tell({ do: 'open', as: 'lock', published: 'lock' })
  await user.tell({ do: 'invoke', on: 'lock', method: 'lock', as: 'guard' })
  const fence = (await user.tell({ do: 'read', on: 'guard', property: 'fence' })) as number
  await user.tell({ do: 'make', as: 'queue', with: 'queue' })
  const pending = user.begin({ do: 'invoke', on: 'queue', method: 'get' })
  await pending.waits
  const next = lock.lock()
  cut()
  const guard = await next
  t.true(guard.ownerDied)
  t.true(guard.fence > fence)
  // The holder learns it by itself, with the network still cut.
  await t.throwsAsync(pending.result, { code: 'ERR_PEER_DIED' })
  const late = await t.throwsAsync(user.tell({ do: 'invoke', on: 'guard', method: 'release' }))
  t.true(codes.includes((late as unknown as { code: string }).code))
  mend()
  const lost = await t.throwsAsync(user.tell({ do: 'invoke', on: 'lock', method: 'isLocked' }))
  t.true(codes.includes((lost as unknown as { code: string }).code))
  t.true(await lock.isLocked())
  await guard.markConsistent()
  await guard.release()
  // Its manager connects again.
  await user.tell({ do: 'open', as: 'lock', published: 'lock' })
  await user.tell({ do: 'invoke', on: 'lock', method: 'lock', as: 'guard' })
  t.is(await user.tell({ do: 'read', on: 'guard', property: 'fence' }), guard.fence + 1)
})

test('a manager that is cut off is given up by its clients, and its objects live on', async t => {
  const { manager, user } = await scene(t, 600)
  await manager.publish('d', await manager.dict<unknown>({ a: 1 }))
  await user.tell({ do: 'open', as: 'd', published: 'd' })
  cut()
  const error = await t.throwsAsync(user.tell({ do: 'invoke', on: 'd', method: 'get', args: ['a'] }))
  t.true(codes.includes((error as unknown as { code: string }).code))
  mend()
  await user.tell({ do: 'open', as: 'd', published: 'd' })
  t.is(await user.tell({ do: 'invoke', on: 'd', method: 'get', args: ['a'] }), 1)
  t.is(await (await manager.get<ManagedDict>('d')).get('a'), 1)
})
