// Four workers share a queue of tasks. One of them is killed (SIGKILL) in the middle of a task; another one gets it.
//
//     node build/examples/work-queue.js
//
// What it shows:
// - `redeliver: true` and `messages()`: a task is done with when its worker releases it. If the worker dies before,
//   the task goes to another worker, marked `redelivered`.
// - At least once: a worker could also die between giving its result and releasing the task. Then the task is done twice, so
//   results are kept by the task's number, where a second one changes nothing.
// - The tasks are ended as soon as all are in. Workers stay until none of them holds a task that they may get yet.
// - The results are ended when all workers are gone: main never waits for a result that nobody is left to give.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { open, Queue, type Reference } from 'crossmem'

const WORKERS = 4
const TASKS = 40
const LIMIT = 2_000_000
/** Whoever gets this one first is killed halfway through it. */
const FATAL_TASK = 11

/** Count the primes from `from` up to, but not including, `to`. */
interface Task {
  number: number
  from: number
  to: number
}
/** What workers report. */
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
  // Without a parent there is nobody to work for.
  process.once('disconnect', () => process.exit())
  for await (const message of tasks.messages()) {
    const { number, from, to } = message.value
    const { redelivered } = message
    const middle = Math.floor((from + to) / 2)
    let primes = countPrimes(from, middle)
    if (number === FATAL_TASK && !redelivered) {
      await reports.put({ kind: 'halfway', number, pid })
      await new Promise(() => {}) // SIGKILL comes here
    }
    primes += countPrimes(middle, to)
    await reports.put({ kind: 'done', number, pid, primes, redelivered })
    message.release() // not earlier: until here the task is somebody else's if this process dies
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

  // References travel as JSON.
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
