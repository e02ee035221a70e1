import { setTimeout as sleep } from 'node:timers/promises'
import { cpuTime } from '../harness/cpu.js'
import { type Contender, counted, type Effort, inTurn, rowsOf } from '../harness/measure.js'
import { type Section, type Table, times } from '../harness/section.js'
import { quantile } from '../harness/statistics.js'
import type { Answers } from '../locks/locker.js'
import { type Lockers, startLockers } from '../locks/lockers.js'
import { CPU } from './queue-rows.js'

const LOCK = 'crossmem: await lock()'
const LOCK_SYNC = 'crossmem: lockSync()'
const SEND = 'process.send, there and back'

const LATE = '90th percentile'
/** A sample takes some milliseconds, most of them a pause. */
const LONGER = 12

/** How soon a process that waits for a lock continues after the release. */
export async function wakeUp(effort: Effort): Promise<Section> {
  await using lockers = await startLockers(1)
  const table: Table = {
    title: 'Until the waiting process continues',
    baseline: LOCK,
    rows: rowsOf(await inTurn(contenders(lockers), effort, { longer: LONGER }), [LATE, CPU]),
  }
  return {
    id: 'wake-up',
    title: 'Waking up another process',
    intro:
      'One process holds the lock, and another one sleeps until it has the lock. The clock starts just before the release in the ' +
      'one process, and stops at the line after the await in the other. A message there and back is between the same two ' +
      'processes, measured in turn. Before each sample both processes are idle for 1 to 4 ms, a different time each. A figure ' +
      'of a slice is the median of its samples, or their 90th percentile. CPU time is that of both processes for one sample: ' +
      'of the waiting process from before the wait until after it, and of the other process from before its call until after ' +
      'it; of a message, from before the call until the answer.',
    tables: [table],
    targets: [
      {
        what: 'the wake-up of await lock(): time as a share of a message by process.send, there and back',
        got: times(table, LOCK, SEND),
        atMost: 0.4,
      },
    ],
    better: [],
    missing: [],
  }
}

interface Sample {
  ns: number
  cpu: number
}

function contenders(lockers: Lockers): Contender[] {
  return [
    {
      name: LOCK,
      does: 'from guard.release() until const guard = await mutex.lock() has completed in the other process',
      slice: slicesOf(() => woken(lockers, 'lock')),
    },
    {
      name: LOCK_SYNC,
      does: 'the same with mutex.lockSync()',
      slice: slicesOf(() => woken(lockers, 'lockSync')),
    },
    {
      name: SEND,
      does: "child.send and the answer by process.send, with 'json', the default",
      slice: slicesOf(() => echoed(lockers)),
    },
  ]
}

const slicesOf = (sample: () => Promise<Sample>): Contender['slice'] =>
  counted(async count => {
    const samples: Sample[] = []
    while (samples.length < count) samples.push(await sample())
    const times = samples.map(({ ns }) => ns)
    const cpu = samples.reduce((sum, sample) => sum + sample.cpu, 0) / count
    return [quantile(times, 0.5), quantile(times, 0.9), cpu]
  })

/** A different pause each time, so that samples don't fall into step with anything. */
const pause = (): Promise<void> => sleep(1 + Math.random() * 3)

async function woken({ children, objects }: Lockers, how: 'lock' | 'lockSync'): Promise<Sample> {
  const { mutex, board } = objects
  Atomics.store(board.ready, 0, 0)
  const guard = mutex.lockSync()
  const answer = answerOf<Answers['wait']>(children)
  children[0]?.send({ kind: 'wait', how })
  while (Atomics.load(board.ready, 0) === 0) await sleep(1)
  await pause()
  const before = cpuTime()
  board.released[0] = process.hrtime.bigint()
  guard.release()
  const cpu = cpuTime() - before
  const waited = await answer
  return { ns: waited.ns, cpu: waited.cpu + cpu }
}

/** The first echo tells the CPU time of the child before the second one, which is the sample. */
async function echoed(lockers: Lockers): Promise<Sample> {
  const first = await echo(lockers)
  await pause()
  const second = await echo(lockers)
  return { ns: second.ns, cpu: second.cpu + second.total - first.total }
}

/** Its time, the CPU time of this process, and the CPU time of the child since the child began. */
async function echo({ children }: Lockers): Promise<Sample & { total: number }> {
  const cpu = cpuTime()
  let now = 0n
  const answer = answerOf<Answers['echo']>(children, () => {
    now = process.hrtime.bigint()
  })
  const start = process.hrtime.bigint()
  children[0]?.send({ kind: 'echo' })
  const { cpu: total } = await answer
  return { ns: Number(now - start), cpu: cpuTime() - cpu, total }
}

/** The answer of the only child. `onAnswer` is called as soon as it arrives. */
const answerOf = <Answer>([child]: Lockers['children'], onAnswer: () => void = () => {}): Promise<Answer> =>
  new Promise(resolve => {
    child?.once('message', answer => {
      onAnswer()
      resolve(answer as Answer)
    })
  })
