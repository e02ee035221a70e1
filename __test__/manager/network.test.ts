import '../helpers/domain.js'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import ava, { type ExecutionContext } from 'ava'
import { SharedArray } from 'crossmem'
import { type ListenOptions, type ManagedDict, Manager, type ManagerOptions } from 'crossmem/manager'
import { WebSocket, WebSocketServer } from 'ws'
import type { ManagerOrders } from '../fixtures/manager/use-manager.js'
import { root } from '../helpers/paths.js'
import { hire } from '../processes/hire.js'

const test = ava.serial
const authkey = 'a key that nobody guesses, of 32+ bytes'
const pem = (file: string): string =>
  readFileSync(join(root, '__test__', 'fixtures', 'manager', 'tls', file), 'utf8')

async function start(
  t: ExecutionContext,
  listen: Partial<ListenOptions> = {},
  options?: ManagerOptions,
): Promise<Manager & { url: string }> {
  const manager = await Manager.start({ ...options, listen: { authkey, ...listen } })
  t.teardown(() => manager.close())
  return manager as Manager & { url: string }
}

test('a client elsewhere uses the same objects', async t => {
  const manager = await start(t)
  const dict = await manager.dict<unknown>({ a: 1 })
  await manager.publish('scores', dict)
  const far = await Manager.connect(manager.url, { authkey: Buffer.from(authkey) })
  const theirs = await far.get<ManagedDict<string, unknown>>('scores')
  await theirs.set('b', { big: new Uint8Array(3_000_000) })
  t.is(((await dict.get('b')) as { big: Uint8Array }).big.length, 3_000_000)
  t.true((await manager.stats()).clients.some(client => client.isRemote))
  // A reference uses the connection that is there.
  const list = await far.list([1])
  await theirs.set('list', list)
  t.is(((await theirs.get('list')) as typeof list).name, list.name)
  await far.close()
  await t.throwsAsync(theirs.get('a'), { code: 'ERR_CLOSED' })
})

test('a wrong key is refused on both sides, and too many are not tried', async t => {
  const manager = await start(t)
  const wrong = { authkey: 'another key, which is long enough, too' }
  for (let i = 0; i < 10; i++) {
    await t.throwsAsync(Manager.connect(manager.url, wrong), { code: 'ERR_PERMISSION' })
  }
  await t.throwsAsync(Manager.connect(manager.url, wrong), { code: 'ERR_NOT_FOUND' })
  // Others are served: processes of this machine need no key.
  t.is((await manager.stats()).clients.length, 1)
})

test('a server that does not know the key learns nothing, and is refused', async t => {
  const imposter = await Manager.start({ listen: { authkey: 'the key of somebody else entirely' } })
  t.teardown(() => imposter.close())
  await t.throwsAsync(Manager.connect(imposter.url as string, { authkey }), { code: 'ERR_PERMISSION' })
})

test('the key is never sent', async t => {
  const manager = await start(t)
  const heard: Buffer[] = []
  const tap = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  tap.on('connection', near => {
    const far = new WebSocket(manager.url)
    const early: Buffer[] = []
    far.once('open', () => {
      for (const message of early) far.send(message)
    })
    near.on('message', (message: Buffer) => {
      heard.push(message)
      if (far.readyState === far.OPEN) far.send(message)
      else early.push(message)
    })
    far.on('message', (message: Buffer) => {
      heard.push(message)
      near.send(message)
    })
    near.on('close', () => far.close())
  })
  await new Promise(resolve => tap.once('listening', resolve))
  const far = await Manager.connect(`ws://127.0.0.1:${(tap.address() as { port: number }).port}`, { authkey })
  await far.dict({ a: 1 })
  await far.close()
  tap.close()
  const bytes = Buffer.concat(heard)
  t.true(bytes.includes('challenge') && bytes.includes('proof'))
  t.false(bytes.includes(authkey))
})

test('TLS proves who the manager is, and by certificates who the client is', async t => {
  const tls = { key: pem('server.key'), cert: pem('server.pem') }
  const manager = await start(t, { tls })
  t.regex(manager.url, /^wss:/)
  const far = await Manager.connect(manager.url, { authkey, ca: pem('authority.pem') })
  const dict = await far.dict({ a: 1 })
  t.is(await dict.get('a'), 1)
  await far.close()
  await t.throwsAsync(Manager.connect(manager.url, { authkey }), {
    code: 'ERR_NOT_FOUND',
    message: /certificate/,
  })
  const strict = await start(t, {
    tls: { ...tls, ca: pem('authority.pem'), requestCert: true, rejectUnauthorized: true },
  })
  await t.throwsAsync(Manager.connect(strict.url, { authkey, ca: pem('authority.pem') }))
  const known = await Manager.connect(strict.url, {
    authkey,
    ca: pem('authority.pem'),
    key: pem('client.key'),
    cert: pem('client.pem'),
  })
  t.is(await (await known.list([1])).length(), 1)
  await known.close()
})

test('without TLS only loopback addresses are used, unless the network is said to be trusted', async t => {
  await t.throwsAsync(Manager.start({ listen: { authkey, host: '0.0.0.0' } }), {
    code: 'ERR_INVALID_ARG',
    message: /tls/,
  })
  await t.throwsAsync(Manager.connect('ws://10.0.0.1:7000', { authkey }), {
    code: 'ERR_INVALID_ARG',
    message: /wss:/,
  })
  await t.throwsAsync(Manager.connect('ws://127.0.0.1.example.org:7000', { authkey }), {
    code: 'ERR_INVALID_ARG',
  })
  const open = await start(t, { host: '0.0.0.0', insecure: true })
  const far = await Manager.connect(open.url.replace('0.0.0.0', '127.0.0.1'), { authkey, insecure: true })
  t.is((await far.stats()).name, open.name)
  await far.close()
})

test('a key is needed, and a short one is refused without being shown', async t => {
  await t.throwsAsync(Manager.start({ listen: {} as never }), { code: 'ERR_INVALID_ARG', message: /authkey/ })
  const error = await t.throwsAsync(Manager.start({ listen: { authkey: 'hunter2' } }), {
    code: 'ERR_INVALID_ARG',
  })
  t.false(error?.message.includes('hunter2'))
  await t.throwsAsync(Manager.connect('ws://127.0.0.1:1'), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(Manager.connect('ws://127.0.0.1:1', { authkey }), { code: 'ERR_NOT_FOUND' })
})

test('a handle of shared memory is refused between machines, in both directions', async t => {
  const manager = await start(t)
  const dict = await manager.dict<string, unknown>()
  await manager.publish('d', dict)
  const far = await Manager.connect(manager.url, { authkey })
  const theirs = await far.get<ManagedDict<string, unknown>>('d')
  using array = SharedArray.create(null, 'int32', 2)
  await t.throwsAsync(theirs.set('a', { array }), { code: 'ERR_INVALID_ARG', message: /SharedArray/ })
  await dict.set('a', { array })
  await t.throwsAsync(theirs.get('a'), { code: 'ERR_UNSUPPORTED', message: /SharedArray/ })
  await far.close()
})

test('a killed client elsewhere gives back its lock', async t => {
  const manager = await start(t)
  const lock = await manager.lock()
  await manager.publish('lock', lock)
  const user = await hire<ManagerOrders>('manager/use-manager')
  await user.tell({ do: 'connect', name: manager.url, options: { authkey } })
  await user.tell({ do: 'open', as: 'lock', published: 'lock' })
  await user.tell({ do: 'invoke', on: 'lock', method: 'lock', as: 'guard' })
  const next = lock.lock()
  await user.kill()
  const guard = await next
  t.deepEqual([guard.ownerDied, guard.fence], [true, 2])
})

test('a client that is stopped is given up, and is told when it goes on', async t => {
  const manager = await start(t, { heartbeat: 300 })
  const lock = await manager.lock()
  await manager.publish('lock', lock)
  const user = await hire<ManagerOrders>('manager/use-manager')
  t.teardown(() => user.kill())
  await user.tell({ do: 'connect', name: manager.url, options: { authkey } })
  await user.tell({ do: 'open', as: 'lock', published: 'lock' })
  await user.tell({ do: 'invoke', on: 'lock', method: 'lock', as: 'guard' })
  user.signal('SIGSTOP')
  const guard = await lock.lock()
  t.deepEqual([guard.ownerDied, guard.fence], [true, 2])
  user.signal('SIGCONT')
  const error = await t.throwsAsync(user.tell({ do: 'invoke', on: 'guard', method: 'release' }))
  t.true(['ERR_PEER_DIED', 'ERR_LOST'].includes((error as unknown as { code: string }).code))
})

test('connections that say nothing keep nobody out', async t => {
  const manager = await start(t)
  const sockets = Array.from({ length: 100 }, () => new WebSocket(manager.url))
  for (const socket of sockets) socket.on('error', () => undefined)
  await Promise.all(
    sockets.map(socket => new Promise(resolve => socket.once('open', resolve).once('close', resolve))),
  )
  const raw = Array.from({ length: 100 }, () => connect(Number(new URL(manager.url).port), '127.0.0.1'))
  for (const socket of raw) socket.on('error', () => undefined)
  const far = await Manager.connect(manager.url, { authkey })
  t.is(await (await far.list([1, 2])).length(), 2)
  await far.close()
  for (const socket of sockets) socket.terminate()
  for (const socket of raw) socket.destroy()
})
