// Frames of a simulated camera go through three processes: main takes them, one child inverts
// them, another child measures them.
//
//     node build/examples/frame-pipeline.js
//
// What it shows:
// - Pixels are not copied from process to process. A queue carries a reference
//   (`{ crossmem: 'NDArray', name }`) and a number; each process works on the pixels in place.
// - A few frames are made once and reused: the last stage puts each frame back into the queue of
//   free frames. If the other stages are slow, the camera waits at that queue.
// - A process that got a frame from a queue is the only one that uses the frame, until it puts the
//   frame into the next queue. No lock is needed.
// - `end()` travels down the pipeline: when the queue before a stage has ended, the stage ends the
//   queue after it.
//
// If a stage is killed, the frame that it holds is lost. `redeliver` would not help here: a frame
// that is half inverted and then inverted again is neither the frame nor its inverse.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { list, NDArray, open, Queue, type Reference } from 'crossmem'

const WIDTH = 1280
const HEIGHT = 720
const FRAMES_MADE = 4
const FRAMES_TAKEN = 60

/** The messages of the queues. */
interface Ticket {
  number: number
  frame: Reference | NDArray<'uint8'>
}
interface Measured {
  number: number
  sum: number
}
/** The value that the camera writes into all pixels of a frame. */
const brightnessOf = (number: number): number => number % 256

/** Open frames, by name. A process opens each frame once, however often it gets the frame. */
const opened = new Map<string, NDArray<'uint8'>>()
function pixelsOf({ frame }: Ticket): Uint8Array {
  const known = opened.get(frame.name)
  if (known) return known.data
  const array = open(frame as Reference) as NDArray<'uint8'>
  opened.set(frame.name, array)
  return array.data
}

async function invert(from: Queue<Ticket>, to: Queue<Ticket>): Promise<void> {
  for await (const ticket of from) {
    const pixels = pixelsOf(ticket)
    for (let i = 0; i < pixels.length; i++) pixels[i] = 255 - (pixels[i] as number)
    await to.put(ticket)
  }
  to.end()
}

async function measure(from: Queue<Ticket>, free: Queue<Ticket>, to: Queue<Measured>): Promise<void> {
  for await (const ticket of from) {
    let sum = 0
    for (const value of pixelsOf(ticket)) sum += value
    await to.put({ number: ticket.number, sum })
    await free.put(ticket)
  }
  to.end()
}

async function main(): Promise<void> {
  const options = { capacity: FRAMES_TAKEN, messageBytes: 128 }
  using free = Queue.create<Ticket>(null, options)
  using taken = Queue.create<Ticket>(null, options)
  using inverted = Queue.create<Ticket>(null, options)
  using measured = Queue.create<Measured>(null, options)
  const queues = [free, taken, inverted, measured].map(({ name }) => name)
  const bytesOfQueues = list().reduce(
    (sum, { name, byteLength }) => sum + (queues.includes(name) ? byteLength : 0),
    0,
  )

  const frames = Array.from({ length: FRAMES_MADE }, () =>
    NDArray.create(null, { shape: [HEIGHT, WIDTH, 3], dtype: 'uint8' }),
  )
  for (const frame of frames) {
    opened.set(frame.name, frame)
    await free.put({ number: -1, frame }) // a handle is sent as its reference
  }

  const stages = [
    fork(__filename, ['invert', JSON.stringify([taken, inverted])]),
    fork(__filename, ['measure', JSON.stringify([inverted, free, measured])]),
  ]
  const gone = stages.map(stage => once(stage, 'exit'))
  // If a stage dies, no process ends the queues after it, so main must stop waiting for them.
  const over = new AbortController()
  for (const stage of stages) {
    stage.once('exit', code => code !== 0 && over.abort(new Error(`a stage ended with ${code}`)))
  }

  for (let number = 0; number < FRAMES_TAKEN; number++) {
    const ticket = await free.get({ signal: over.signal })
    pixelsOf(ticket).fill(brightnessOf(number))
    await taken.put({ ...ticket, number })
  }
  taken.end()

  const bytesOfFrame = frames[0]?.byteLength as number
  let right = 0
  for (let number = 0; number < FRAMES_TAKEN; number++) {
    const result = await measured.get({ signal: over.signal })
    if (result.number === number && result.sum === (255 - brightnessOf(number)) * bytesOfFrame) right++
  }
  await Promise.all(gone)
  for (const frame of frames) frame.close()

  const megabytes = ((FRAMES_TAKEN * bytesOfFrame) / 1e6).toFixed(1)
  console.log(
    `${megabytes} MB of pixels passed by, in ${FRAMES_MADE} frames of ${(bytesOfFrame / 1e6).toFixed(1)} MB`,
  )
  console.log(`the four queues have ${(bytesOfQueues / 1e3).toFixed(1)} kB in all`)
  if (right !== FRAMES_TAKEN) {
    console.error(`WRONG: ${FRAMES_TAKEN - right} frames of ${FRAMES_TAKEN} were measured wrong`)
    process.exitCode = 1
    return
  }
  console.log(
    `${right} of ${FRAMES_TAKEN} frames went through three processes in order, and every sum is right`,
  )
}

const [stage, references] = process.argv.slice(2)
if (references) {
  // Without its parent a stage gets no more frames.
  process.once('disconnect', () => process.exit())
  const given = JSON.parse(references) as Reference[]
  const queue = <T>(at: number) => open(given[at] as Reference) as Queue<T>
  const over =
    stage === 'invert'
      ? invert(queue<Ticket>(0), queue<Ticket>(1))
      : measure(queue<Ticket>(0), queue<Ticket>(1), queue<Measured>(2))
  over.then(() => process.disconnect())
} else main()
