import { join } from 'node:path'
import { type Python, python } from '../harness/python.js'
import { redisServer } from '../harness/redis.js'
import { root } from '../harness/root.js'
import type { Payload } from './messages.js'
import type { QueueKind, QueueKinds } from './peers.js'

export const SEND_JSON = "process.send, 'json'"
export const SEND_ADVANCED = "process.send, 'advanced'"
export const COPIED = 'threads: postMessage, copied'

/** All queues of JavaScript and Python that carry such a payload, each with `fars` far ends. */
export function queueKinds(payload: Payload, fars = 1): QueueKinds {
  const { kinds, missing } = everyKind({ largest: payload === 'object' ? OBJECT_BYTES : payload, fars })
  const other = payload === 'object' ? 'bytes' : 'objects'
  return { kinds: kinds.filter(({ carries }) => carries !== other), missing }
}

/** More bytes than a small object takes in any encoding. */
const OBJECT_BYTES = 1024

interface Ends {
  /** Bytes of the largest message. */
  largest: number
  fars: number
}

interface Kind extends QueueKind {
  carries: 'bytes' | 'objects' | 'bytes and objects'
}

function everyKind(ends: Ends): { kinds: Kind[]; missing: string[] } {
  const py = python()
  if ('missing' in py)
    return { kinds: ofNode(ends), missing: [py.missing, 'Redis: its server is a Python package'] }
  const kinds = [...ofNode(ends), ...ofPython(py, ends)]
  const server = redisServer(py)
  return 'missing' in server
    ? { kinds, missing: [server.missing] }
    : { kinds: [...kinds, ofRedis(server.path, ends)], missing: [] }
}

const node = (transport: string, { largest, fars }: Ends, ...option: string[]): string[] => [
  process.execPath,
  join(__dirname, 'near.js'),
  transport,
  String(largest),
  String(fars),
  ...option,
]

const usual = { carries: 'bytes and objects', batches: true, waits: 'parked' } as const

const says = {
  await: 'awaited',
  sync: 'blocking: spins briefly, then parks',
  try: 'try…() in a loop',
}

const RING = 'a ring of 1 MiB, or of four messages if that is more'
const CHUNKS = '1,024 chunks of 2 KiB, or as many bytes in larger chunks, at least four'

const ofCrossmem = (ends: Ends): Kind[] =>
  (
    [
      ['SpscQueue', `push(), pop(); ${RING}`, ['await', 'sync', 'try'], 'bytes'],
      ['MpmcQueue', `push(), pop(); ${CHUNKS}`, ['await', 'sync', 'try'], 'bytes'],
      ['Queue', `put(), get(), codec 'msgpack'; ${CHUNKS}`, ['await', 'sync', 'try'], 'bytes and objects'],
      [
        'RecordQueue',
        'put(), get(), putMany(), getMany(); 1,024 records of five fields, made of objects and read as objects',
        ['await', 'sync', 'try'],
        'objects',
      ],
      [
        'Pipe',
        `send(), recv(); each way ${RING}; a batch as an array`,
        ['await', 'sync'],
        'bytes and objects',
      ],
    ] as [string, string, (keyof typeof says)[], Kind['carries']][]
  ).flatMap(([kind, does, ways, carries]) =>
    ways.map(way => ({
      ...usual,
      name: `crossmem: ${kind}, ${way}`,
      does: `${does}, ${says[way]}`,
      program: node(`${kind}-${way}`, ends),
      carries,
      waits: way === 'try' ? ('spinning' as const) : ('parked' as const),
    })),
  )

const ofNode = (ends: Ends): Kind[] => [
  ...ofCrossmem(ends),
  {
    ...usual,
    name: SEND_JSON,
    does: 'the default serialization; bytes as a string in base64; a batch as an array. The sender awaits every 128th callback',
    program: node('json', ends),
  },
  {
    ...usual,
    name: SEND_ADVANCED,
    does: 'the same with structured clones; bytes as a Buffer',
    program: node('advanced', ends),
  },
  {
    ...usual,
    name: COPIED,
    does: 'a MessageChannel between two threads of one process: structured clones; a batch as an array',
    program: node('copied', ends),
  },
  {
    ...usual,
    name: 'threads: postMessage, transferred',
    does: 'the same for a new Uint8Array whose buffer is in the transfer list',
    program: node('transferred', ends),
    carries: 'bytes',
    batches: false,
  },
  {
    ...usual,
    name: 'threads: ringbuf.js VERSION',
    does: `a RingBuffer of Uint8Array each way, ${RING}: push() when there is room, pop() when a whole message is there. The ring keeps no boundaries between messages; here all have one size. Both ends spin`,
    program: node('ringbuf', ends),
    carries: 'bytes',
    waits: 'spinning',
  },
  ...(process.platform === 'win32' ? [] : ofUnix(ends)),
]

const ofUnix = (ends: Ends): Kind[] => [
  {
    ...usual,
    name: 'Unix socket',
    does: 'node:net; each message is preceded by its length, objects as JSON; a batch is one write',
    program: node('socket', ends),
  },
  {
    ...usual,
    name: 'ZeroMQ: zeromq.js VERSION',
    does: 'a Push and a Pull socket each way over ipc://: await send(), await receive(), objects as JSON; a batch is one message of many parts',
    program: node('zeromq', ends),
  },
]

const ofPython = ({ version, path }: Python, ends: Ends): Kind[] => {
  const program = (transport: string) => [
    path,
    join(root, 'bench', 'queues', 'python.py'),
    transport,
    String(ends.largest),
    String(ends.fars),
  ]
  return [
    {
      ...usual,
      name: `${version}: Queue`,
      does: 'multiprocessing.Queue: put(), get(); a batch as a list',
      program: program('Queue'),
    },
    {
      ...usual,
      name: `${version}: SimpleQueue`,
      does: 'multiprocessing.SimpleQueue: put(), get(); a batch as a list',
      program: program('SimpleQueue'),
    },
    {
      ...usual,
      name: `${version}: Pipe`,
      does: 'multiprocessing.Pipe: send_bytes(), recv_bytes(); send(), recv() for objects and for a batch, a list',
      program: program('Pipe'),
    },
    {
      ...usual,
      name: 'Python: faster-fifo VERSION',
      does: `Queue(…) with ${RING}: put(), get(), put_many(), get_many(); bytes without pickling (dumps, loads)`,
      program: program('faster-fifo'),
    },
  ]
}

const ofRedis = (server: string, ends: Ends): Kind => ({
  ...usual,
  name: 'Redis VERSION',
  does: 'two lists of a server of its own over a Unix socket, without persistence, by @redis/client. LPUSH is pipelined, and a reply is awaited every 128 messages or 1 MiB. BRPOP, in a stream with an RPOP of as many more. A batch is one LPUSH. Objects as JSON. CPU time is that of all three processes',
  program: node('redis', ends, server),
})
