import type { ChildProcess, Serializable, SerializationType } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { NDArray } from 'crossmem'
import { startChild } from '../harness/child.js'
import { mebibytes } from '../harness/format.js'
import { type Contender, type Effort, each, inTurn, nanoseconds, rowsOf } from '../harness/measure.js'
import { type Section, type Table, times } from '../harness/section.js'
import type { Ends, Parcel } from '../memory/receiver.js'

/** Numbers per message, where all numbers don't fit into one string. */
const PART = 1 << 20

const REFERENCE = 'crossmem: a reference'
const ADVANCED = "process.send, 'advanced'"
const BASE64 = "process.send, 'json', as base64"
const NUMBERS = "process.send, 'json', as numbers"

/** How long it takes to hand a large array to another process or thread. */
export async function handOver(effort: Effort): Promise<Section> {
  const length = effort.quick ? 1 << 17 : 1 << 24
  const plain = Float64Array.from({ length }, Math.random)
  const expected: Ends = [plain[0] as number, plain[length - 1] as number]
  const children = await startChildren()
  using array = NDArray.from<'float64'>(null, plain)
  const threads = threadContenders(plain, expected)
  const contenders = [...processContenders(children, plain, array, expected), ...threads.contenders]
  const rows = rowsOf(await inTurn(contenders, effort, { rest: effort.quick ? 1 : 100 }))
  for (const child of Object.values(children)) child.disconnect()
  await threads.stop()
  const size = mebibytes(plain.byteLength)
  const processes: Table = { title: 'To another process', baseline: REFERENCE, rows: rows.slice(0, -3) }
  return {
    id: 'hand-over',
    title: `Handing over a Float64Array of ${size}`,
    intro:
      'The receiver is running and warmed up. The clock starts just before the sender sends, and stops when the sender has the ' +
      `answer, which is the array's first and last element. The ${length.toLocaleString('en-US')} numbers are random doubles.`,
    tables: [
      processes,
      {
        title: 'To a worker thread of the same process',
        baseline: 'SharedArrayBuffer',
        rows: rows.slice(-3),
      },
    ],
    targets: [ADVANCED, BASE64, NUMBERS].map(peer => ({
      what: `hand over ${size}: times faster than ${peer}`,
      got: times(processes, peer, REFERENCE),
      atLeast: 1000,
    })),
    better: [
      'process.send: the receiver has a copy of its own, which no other process changes, and nothing to close or unlink.',
      'transfer: the sender loses the array, so the two threads can never race.',
      'SharedArrayBuffer: garbage-collected like any object, without names and without the limit of /dev/shm; only for threads of one process.',
    ],
    missing: [],
  }
}

/** All contenders send the same numbers and get the same answer. */
function processContenders(
  { light, json, advanced }: Children,
  plain: Float64Array<ArrayBuffer>,
  array: NDArray<'float64'>,
  expected: Ends,
): Contender[] {
  const send = (child: ChildProcess, parcel: Parcel) => child.send(parcel as Serializable)
  const handed = (keep: boolean) =>
    answered(light, expected, () => send(light, { kind: 'reference', reference: array, keep }))
  return [
    {
      name: REFERENCE,
      does: "process.send of the NDArray's reference ('json', the default); the child opens the array, and closes it after the answer. The numbers are in shared memory from the start",
      slice: each(() => handed(false)),
    },
    {
      name: 'crossmem: a reference, open already',
      does: 'the same, but the child keeps the array open, as a child does that receives the same arrays repeatedly',
      slice: each(() => handed(true)),
    },
    {
      name: 'crossmem: copied in, then a reference',
      does: 'the same for numbers in private memory: NDArray.from first creates the segment and copies the numbers',
      slice: each(async () => {
        let copy: NDArray | undefined
        const took = await answered(light, expected, () => {
          copy = NDArray.from<'float64'>(null, plain)
          send(light, { kind: 'reference', reference: copy, keep: false })
        })
        copy?.close()
        return took
      }),
    },
    {
      name: ADVANCED,
      does: "fork with serialization: 'advanced'; the Float64Array in one message",
      slice: each(() =>
        answered(advanced, expected, () => send(advanced, { kind: 'typed array', data: plain })),
      ),
    },
    {
      name: BASE64,
      does: 'the bytes as one base64 string in one message, decoded by the child',
      slice: each(() =>
        answered(json, expected, () =>
          send(json, { kind: 'base64', text: Buffer.from(plain.buffer).toString('base64') }),
        ),
      ),
    },
    {
      name: NUMBERS,
      does: `plain arrays of ${PART.toLocaleString('en-US')} numbers, one message each: a single message would be longer than V8's longest string`,
      slice: each(() => answered(json, expected, () => sendInParts(json, plain))),
    },
    {
      name: 'process.send of nothing',
      does: 'an empty message and its answer: a lower bound for all of the above',
      slice: each(() => answered(light, [0, 0], () => send(light, { kind: 'nothing' }))),
    },
  ]
}

/** Each contender has a thread and an array of its own. */
function threadContenders(plain: Float64Array<ArrayBuffer>, expected: Ends) {
  const [copying, transferring, sharing] = [startThread(), startThread(), startThread()]
  const shared = new Float64Array(new SharedArrayBuffer(plain.byteLength))
  shared.set(plain)
  let travelling = plain.slice()
  const contenders: Contender[] = [
    {
      name: 'SharedArrayBuffer',
      does: 'postMessage of an array over a SharedArrayBuffer: nothing is copied',
      slice: each(() =>
        answered(sharing, expected, () => sharing.postMessage({ data: shared, transferred: false })),
      ),
    },
    {
      name: 'postMessage, transferred',
      does: 'postMessage with the buffer in the transfer list; the answer transfers it back',
      slice: each(() =>
        answered(
          transferring,
          expected,
          () => transferring.postMessage({ data: travelling, transferred: true }, [travelling.buffer]),
          answer => {
            travelling = answer.data as Float64Array<ArrayBuffer>
          },
        ),
      ),
    },
    {
      name: 'postMessage, copied',
      does: 'postMessage of the Float64Array: a structured clone',
      slice: each(() =>
        answered(copying, expected, () => copying.postMessage({ data: plain, transferred: false })),
      ),
    },
  ]
  const stop = () => Promise.all([copying, transferring, sharing].map(thread => thread.terminate()))
  return { contenders, stop }
}

interface Answer {
  ends: Ends
  data?: Float64Array
}

/** Nanoseconds from before `send` until the right answer has arrived. */
async function answered(
  receiver: ChildProcess | Worker,
  expected: Ends,
  send: () => unknown,
  keep: (answer: Answer) => void = () => {},
): Promise<number> {
  const coming = once(receiver, 'message') as Promise<[Ends | Answer]>
  const start = nanoseconds()
  // If sending fails, no answer arrives.
  await Promise.race([Promise.resolve(send()), coming])
  const [value] = await coming
  const took = nanoseconds() - start
  const answer = Array.isArray(value) ? { ends: value } : value
  if (answer.ends.some((end, i) => end !== expected[i]))
    throw new Error(`got ${answer.ends}, not ${expected}`)
  keep(answer)
  return took
}

/** Sends each part before it makes the next, so that the child reads at the same time. */
async function sendInParts(child: ChildProcess, plain: Float64Array): Promise<void> {
  for (let offset = 0; offset < plain.length; offset += PART) {
    const numbers = Array.from(plain.subarray(offset, offset + PART))
    const parcel: Parcel = { kind: 'part', numbers, offset, total: plain.length }
    await new Promise<void>((resolve, reject) => {
      child.send(parcel, error => (error ? reject(error) : resolve()))
    })
  }
}

/** The garbage of one contender on its child's heap must not slow another contender. */
interface Children {
  /** Gets references and empty messages, with 'json'. */
  light: ChildProcess
  json: ChildProcess
  advanced: ChildProcess
}

async function startChildren(): Promise<Children> {
  const [light, json, advanced] = await Promise.all([
    startReceiver('json'),
    startReceiver('json'),
    startReceiver('advanced'),
  ])
  return { light, json, advanced }
}

async function startReceiver(serialization: SerializationType): Promise<ChildProcess> {
  const child = startChild(join(__dirname, '..', 'memory', 'receiver.js'), [], { serialization })
  await once(child, 'message')
  return child
}

function startThread(): Worker {
  const thread = new Worker(join(__dirname, '..', 'memory', 'receiver-thread.js'))
  thread.on('error', error => {
    throw error
  })
  return thread
}
