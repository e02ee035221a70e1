// Four processes write log lines, one process reads them all. One of the writers is killed
// (SIGKILL) while it writes.
//
//     node build/examples/log-collector.js
//
// What it shows:
// - Any number of writers share one queue. The lines of a writer arrive in the order in which the
//   writer wrote them.
// - A killed writer leaves whole lines only: all lines up to its death, without a gap, and nothing
//   of the next line.
// - The queue is bounded (`capacity`): writers wait for a slow reader, so a slow reader costs time
//   but no memory.
// - A line that is larger than `messageBytes` (here: an error with its stack) needs no care.
// - Only main knows how many writers there are. When the last writer is gone, main ends the queue
//   and reads the lines that are left.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { open, Queue, type Reference } from 'crossmem'

const WRITERS = 4
const LINES = 500
const CAPACITY = 64
/**
 * Main kills the first writer when it has read this line of it. The writer is at most CAPACITY
 * lines ahead, so it is not done yet.
 */
const FATAL_LINE = 250

/** A line of the log. */
interface Line {
  writer: number
  number: number
  text: string
  error?: Error
}

function deepError(depth: number): Error {
  return depth === 0 ? new Error('no answer') : new Error(`layer ${depth}`, { cause: deepError(depth - 1) })
}

async function write(log: Queue<Line>, writer: number): Promise<void> {
  // Without the parent no process reads the log.
  process.once('disconnect', () => process.exit())
  for (let number = 0; number < LINES; number++) {
    const line: Line = { writer, number, text: `line ${number} of writer ${writer}` }
    if (number % 100 === 99) line.error = deepError(5)
    await log.put(line)
  }
  log.close() // loses nothing: the lines are in the queue
  process.disconnect()
}

async function main(): Promise<void> {
  using log = Queue.create<Line>(null, { capacity: CAPACITY, messageBytes: 256 })
  const writers = Array.from({ length: WRITERS }, (_, i) => fork(__filename, [JSON.stringify(log), `${i}`]))
  const gone = writers.map(writer => once(writer, 'exit'))
  Promise.all(gone).then(() => log.end())

  const counts = new Array<number>(WRITERS).fill(0)
  let errors = 0
  let wrong = 0
  for await (const { writer, number, text, error } of log) {
    if (number !== counts[writer] || text !== `line ${number} of writer ${writer}`) wrong++
    counts[writer] = number + 1
    if (error?.stack?.includes('layer 5')) errors++
    if (writer === 0 && number === FATAL_LINE) {
      writers[0]?.kill('SIGKILL')
      await gone[0]
      console.log(`killed writer 0 (SIGKILL) after ${number + 1} of its lines were read`)
    }
  }

  for (const [writer, count] of counts.entries()) console.log(`writer ${writer}: ${count} lines`)
  console.log(`${errors} errors with their stacks`)
  const [ofKilled = 0, ...ofOthers] = counts
  const isCut = ofKilled > FATAL_LINE && ofKilled < LINES
  if (wrong > 0 || !isCut || ofOthers.some(count => count !== LINES)) {
    console.error(`WRONG: ${wrong} lines out of order or damaged; lines by writer: ${counts}`)
    process.exitCode = 1
    return
  }
  console.log(`every line of ${WRITERS - 1} writers is here, and those of the killed one without a gap`)
}

const [log, writer] = process.argv.slice(2)
if (log) write(open(JSON.parse(log) as Reference) as Queue<Line>, Number(writer))
else main()
