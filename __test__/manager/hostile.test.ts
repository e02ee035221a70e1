import '../helpers/domain.js'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import ava from 'ava'
import { type ManagedDict, Manager } from 'crossmem/manager'
import { WebSocket } from 'ws'
import { codecFor } from '../../src/codecs/index.js'
import { PROTOCOL, RPC } from '../../src/manager/protocol.js'
import { compiled, root } from '../helpers/paths.js'
import { type Below, random } from '../helpers/random.js'

const test = ava.serial
const classes = compiled('__test__', 'fixtures', 'manager', 'classes.js')
const authkey = 'a key that nobody guesses, of 32+ bytes'
const MESSAGES = 100_000
/** Bytes that the manager's process may have in all, whatever comes. */
const MOST_RSS = 500 * 2 ** 20

const codec = codecFor<unknown>()
const encode = (value: unknown): Uint8Array => new Uint8Array(codec.encode(value))

/** The socket of a manager of this domain. */
function pathOf(name: string): string {
  const domain = process.env.CROSSMEM_DOMAIN as string
  const folder = readdirSync('/dev/shm').find(file => file.endsWith(`-managers-${domain}`))
  return `/dev/shm/${folder}/${name}.sock`
}

let manager: Manager
let books: ManagedDict<string, number>
let pid = 0

test.before(async () => {
  manager = await Manager.start({ modules: [classes], listen: { authkey } })
  books = await manager.dict({ n: 0 })
  pid = (await manager.stats()).pid
})
test.after.always(() => manager.close())

const rss = (): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(message.length)
  return Buffer.concat([head, message])
}

/** A connection that has introduced itself, and knows no manners from then on. */
async function intrude(): Promise<Socket> {
  const socket = connect(pathOf(manager.name))
  socket.on('error', () => undefined)
  await new Promise(resolve => socket.once('data', resolve))
  const challenge = '0'.repeat(64)
  socket.write(frame(Buffer.from(JSON.stringify({ protocol: PROTOCOL, rpc: RPC, pid: 1, challenge }))))
  await new Promise(resolve => socket.once('data', resolve).once('close', resolve))
  socket.on('data', () => undefined)
  return socket
}

/** Ends the connection, once the manager has read all of it or has closed it. */
function end(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    if (socket.destroyed) resolve()
    socket.once('close', () => resolve())
    socket.end()
  })
}

const names = [
  'get,set,has,merge,delete,pop,popItem,getOrInsert,read,replace,all,keys,entries,watch,at,push,splice,slice',
  'lock,tryLock,unlock,wait,notify,acquire,release,consume,put,tryPut,giveBack,taskDone,join,next,end,run,call',
  'make,create,open,send,publish,unpublish,cancel,stats,inspect',
  'constructor,__proto__,toString,valueOf,hasOwnProperty,__defineGetter__,then,prototype,invoke,methods,children',
].flatMap(list => list.split(','))

const kinds =
  'Dict,List,Namespace,Value,Array,Lock,RLock,Condition,Semaphore,Event,Barrier,Queue,Cursor,Maths'.split(',')

function anything(below: Below, depth = 0): unknown {
  const bytes = (): Uint8Array => Uint8Array.from({ length: below(12) }, () => below(256))
  const choices: (() => unknown)[] = [
    () => below(30) - 5,
    () => [Number.NaN, 0.5, -1, 2 ** 53, 1e300, Number.POSITIVE_INFINITY][below(6)],
    () => names[below(names.length)],
    () => kinds[below(kinds.length)],
    () => [undefined, null, true, 10n ** 30n, '', new Date(below(9))][below(6)],
    bytes,
    () => encode([below(5)]),
    () => [encode({ crossmem: 'Managed', name: `${manager.name}#0#1#Dict` }), [below(9)], []],
    () => [bytes(), [], [{ crossmem: 'SharedMemory', name: ['../x', 'nothing', '/dev/mem'][below(3)] }]],
    () => Array.from({ length: below(4) }, () => (depth > 3 ? 0 : anything(below, depth + 1))),
    () => new Map([[anything(below, depth + 4), 1]]),
    () => ({ length: 1e9, toString: 1, [names[below(names.length)] as string]: 1 }),
  ]
  return (choices[below(choices.length)] as () => unknown)()
}

/** A call as a client sends it, whose parts are anything. */
function call(below: Below): unknown {
  const calls = Array.from({ length: 1 + below(3) }, () => [
    below(3) === 0 ? anything(below) : below(12),
    below(9) === 0 ? anything(below) : names[below(names.length)],
    ...Array.from({ length: below(4) }, () => anything(below)),
  ])
  return ['push', ['pipeline', 0, [below(2) === 0 ? 'call' : 'wait'], [['bytes', encode(calls)]]]]
}

/** A message of which something is changed. */
function mutated(below: Below): Uint8Array {
  const bytes = encode(below(4) === 0 ? anything(below) : call(below))
  for (let i = below(5); i >= 0; i--) if (bytes.length > 0) bytes[below(bytes.length)] = below(256)
  return bytes.subarray(0, below(3) === 0 ? below(bytes.length + 1) : bytes.length)
}

test('100,000 random and mutated messages do no harm to others', async t => {
  const below = random(20_26)
  let sent = 0
  for (let round = 0; sent < MESSAGES; round++) {
    const socket = await intrude()
    const parts: Buffer[] = []
    const count = 20 + below(80)
    for (let i = 1; i <= count; i++) {
      parts.push(frame(encode(call(below))), frame(encode(['pull', i])))
    }
    // What breaks the rules comes last: it ends the connection.
    for (let i = 0; i < 3; i++) parts.push(frame(mutated(below)))
    sent += parts.length
    socket.write(Buffer.concat(parts))
    const done = end(socket)
    if (round % 10 === 0) t.is(await books.update('n', n => (n ?? 0) + 1), round / 10 + 1)
    await done
  }
  t.is((await manager.stats()).pid, pid)
  while ((await manager.stats()).clients.length > 1) await new Promise(setImmediate)
  t.is((await manager.stats()).clients[0]?.objects, 1)
  t.true(rss() < MOST_RSS, `${rss()}`)
})

test('what comes before the introduction ends a connection, and nothing else', async t => {
  const below = random(7)
  for (let i = 0; i < 300; i++) {
    const socket = connect(pathOf(manager.name))
    socket.on('error', () => undefined).on('data', () => undefined)
    const reply = JSON.stringify(
      { protocol: below(3), rpc: RPC, challenge: anything(below), proof: [] },
      (_, value) => (typeof value === 'bigint' ? String(value) : value),
    )
    socket.write(below(2) === 0 ? frame(Buffer.from(reply)) : Buffer.from(mutated(below)))
    await end(socket)
  }
  t.true(((await books.get('n')) as number) > 0)
  t.is((await manager.stats()).clients.length, 1)
})

test('the version of capnweb that both ends say is the one that is pinned', t => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  t.is(dependencies.capnweb, RPC)
})

test('a client of another version is refused, and told which one is spoken', async t => {
  const socket = connect(pathOf(manager.name))
  await new Promise(resolve => socket.once('data', resolve))
  const reply = { protocol: PROTOCOL, rpc: '0.0.1', pid: 1, challenge: '0'.repeat(64) }
  socket.write(frame(Buffer.from(JSON.stringify(reply))))
  const answer = await new Promise<Buffer>(resolve => socket.once('data', resolve))
  t.like(JSON.parse(answer.subarray(4).toString()), { refused: 'ERR_UNSUPPORTED' })
  t.regex(answer.toString(), /capnweb 0\.0\.1/)
  socket.destroy()
})

test('giant and deep messages are refused', async t => {
  const giant = await intrude()
  const head = Buffer.alloc(4)
  head.writeUInt32LE(0xffff_ffff)
  const gone = new Promise(resolve => giant.once('close', resolve))
  giant.write(head)
  await gone
  const deep = await intrude()
  const end_ = new Promise(resolve => deep.once('close', resolve))
  deep.write(frame(Buffer.alloc(1_000_000, 0x91)))
  await end_
  t.is((await manager.stats()).clients.length, 1)
})

test('a client that does not read stops itself, and costs a bounded amount of memory', async t => {
  const big = await manager.dict({ big: new Uint8Array(2 ** 20) })
  await manager.publish('big', big)
  const socket = await intrude()
  socket.pause()
  const ask = (i: number, calls: unknown[]) => [
    frame(encode(['push', ['pipeline', 0, ['call'], [['bytes', encode(calls)]]]])),
    frame(encode(['pull', i])),
  ]
  const parts = ask(1, [[0, 'get', 'big']])
  const id = Number(big.name.split('#')[2])
  for (let i = 2; i < 2000; i++) parts.push(...ask(i, [[id, 'get', encode('big')]]))
  socket.write(Buffer.concat(parts))
  for (let i = 0; i < 200; i++) await books.update('n', n => (n ?? 0) + 1)
  t.true(rss() < MOST_RSS, `${rss()}`)
  socket.destroy()
  await manager.unpublish('big')
  big.close()
})

test('half a handshake over the network serves nothing', async t => {
  for (const text of ['', '{}', '[]', 'null', '{"challenge":1}', 'x'.repeat(10_000)]) {
    const socket = new WebSocket(manager.url as string)
    socket.on('error', () => undefined)
    const closed = new Promise(resolve => socket.once('close', resolve))
    await new Promise(resolve => socket.once('open', resolve))
    socket.send(Buffer.from(text))
    socket.send(Buffer.from(encode(['push', ['pipeline', 0, ['call'], [['bytes', encode([[0, 'stats']])]]]])))
    await closed
  }
  t.is((await manager.stats()).clients.length, 1)
})
