// Four workers share a queue of tasks. One worker is killed (SIGKILL) in the middle of a task;
// another worker does that task.
//
//     node build/examples/work-queue.js
//
// What it shows:
// - `redeliver: true` and `messages()`: a task is done when its worker releases it. If the worker
//   dies before that, another worker gets the task, marked `redelivered`.
// - At least once: if a worker dies between reporting its result and releasing the task, the task
//   is done twice. Main stores results by the task's number, so a second one changes nothing.
// - Main ends the queue of tasks as soon as all tasks are in. A worker stays until no other worker
//   holds a task, since such a task may still be redelivered.
// - Main ends the queue of reports when all workers are gone, so it never waits for a report that
//   no process is left to send.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { open, Queue, type Reference } from 'crossmem'

const WORKERS = 4
const TASKS = 40
const LIMIT = 2_000_000
/** The first worker that gets this task is killed halfway through it. */
const FATAL_TASK = 11

/** Count the primes from `from` up to, but not including, `to`. */
interface Task {
  number: number
  from: number
  to: number
}
/** A worker's message to main. */
type Report =
  | { kind: 'halfway'; number: number; pid: number }
  | { kind: 'done'; number: number; pid: number; primes: number; redelivered: boolean }

function countPrimes(from: number, to: number): number {
  let primes = 0
  for (let n = Math.max(from, 2); n < to; n++) {
    let divisor = 2
    while (divisor * divisor <= n && n % divisor !== 0) divisor++
    if (divisor * divisor > n) primes++
  }
  return primes
}

async function work(tasks: Queue<Task>, reports: Queue<Report>): Promise<void> {
  const { pid } = process
  // Without the parent no process needs the results.
  process.once('disconnect', () => process.exit())
  for await (const message of tasks.messages()) {
    const { number, from, to } = message.value
    const { redelivered } = message
    const middle = Math.floor((from + to) / 2)
    let primes = countPrimes(from, middle)
    if (number === FATAL_TASK && !redelivered) {
      await reports.put({ kind: 'halfway', number, pid })
      await new Promise(() => {}) // main sends SIGKILL now
    }
    primes += countPrimes(middle, to)
    await reports.put({ kind: 'done', number, pid, primes, redelivered })
    message.release() // only now: if this process dies before, another worker gets the task
  }
  process.disconnect()
}

async function main(): Promise<void> {
  using tasks = Queue.create<Task>(null, { redeliver: true })
  using reports = Queue.create<Report>(null)
  for (let number = 0; number < TASKS; number++) {
    await tasks.put({ number, from: (number * LIMIT) / TASKS, to: ((number + 1) * LIMIT) / TASKS })
  }
  tasks.end()

  // In JSON a handle becomes its reference.
  const references = JSON.stringify({ tasks, reports })
  const workers: ChildProcess[] = Array.from({ length: WORKERS }, () => fork(__filename, [references]))
  Promise.all(workers.map(worker => once(worker, 'exit'))).then(() => reports.end())

  const results = new Map<number, number>()
  const done = new Map<number, number>(workers.map(({ pid }) => [pid as number, 0]))
  let killed = 0
  for await (const report of reports) {
    const { number, pid } = report
    if (report.kind === 'halfway') {
      workers.find(worker => worker.pid === pid)?.kill('SIGKILL')
      killed = pid
      console.log(`killed worker ${pid} (SIGKILL) halfway through task ${number}`)
      continue
    }
    if (report.redelivered) console.log(`worker ${pid} got task ${number} again, and did it`)
    results.set(number, report.primes)
    done.set(pid, (done.get(pid) ?? 0) + 1)
  }

  for (const [pid, count] of done) {
    console.log(`worker ${pid}: ${count} tasks done${pid === killed ? ', then killed' : ''}`)
  }
  const found = [...results.values()].reduce((sum, primes) => sum + primes, 0)
  const expected = countPrimes(0, LIMIT)
  if (results.size !== TASKS || found !== expected) {
    console.error(`WRONG: ${results.size} of ${TASKS} tasks done, ${found} primes instead of ${expected}`)
    process.exitCode = 1
    return
  }
  console.log(`${TASKS} of ${TASKS} tasks done, ${found} primes below ${LIMIT}, as counted by one process`)
}

const [references] = process.argv.slice(2)
if (references) {
  const given = JSON.parse(references) as { tasks: Reference; reports: Reference }
  work(open(given.tasks) as Queue<Task>, open(given.reports) as Queue<Report>)
} else main()
