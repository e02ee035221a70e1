import { setTimeout as sleep } from 'node:timers/promises'
import { duration } from '../harness/format.js'
import { type Contender, inTurn } from '../harness/measure.js'
import { type Section, type Table, times } from '../harness/section.js'
import { type Lockers, startLockers } from '../locks/lockers.js'

const LOCK = 'crossmem: await lock()'
const LOCK_SYNC = 'crossmem: lockSync()'
const SEND = 'process.send, there and back'

/** How soon a process that waits for a lock continues after the release. */
export async function wakeUp(quick: boolean): Promise<Section> {
  await using lockers = await startLockers(1)
  const table: Table = {
    title: 'Until the waiting process continues',
    baseline: LOCK,
    rows: await inTurn(contenders(lockers), { rounds: quick ? 5 : 500 }),
  }
  const late = table.rows.map(({ name, p99 }) => `${name}: ${duration(p99)}`).join('; ')
  return {
    id: 'wake-up',
    title: 'Waking up another process',
    intro:
      'One process holds the lock, and another one sleeps until it has the lock. The clock starts just before the release in the ' +
      'one process, and stops at the line after the await in the other. A message there and back is between the same two ' +
      'processes, measured in turn. Before each sample both processes are idle for 1 to 4 ms, a different time each. The 99th ' +
      `percentiles: ${late}.`,
    tables: [table],
    targets: [
      {
        what: 'a message by process.send, there and back: time as a multiple of the wake-up of await lock()',
        got: times(table, SEND, LOCK),
        atLeast: 3,
      },
    ],
    better: [],
    missing: [],
  }
}

function contenders(lockers: Lockers): Contender[] {
  return [
    {
      name: LOCK,
      does: 'from guard.release() until const guard = await mutex.lock() has completed in the other process',
      sample: () => woken(lockers, 'lock'),
    },
    {
      name: LOCK_SYNC,
      does: 'the same with mutex.lockSync()',
      sample: () => woken(lockers, 'lockSync'),
    },
    {
      name: SEND,
      does: "child.send and the answer by process.send, with 'json', the default",
      sample: () => echoed(lockers),
    },
  ]
}

/** A different pause each time, so that samples don't fall into step with anything. */
const pause = (): Promise<void> => sleep(1 + Math.random() * 3)

async function woken({ children, objects }: Lockers, how: 'lock' | 'lockSync'): Promise<number> {
  const { mutex, board } = objects
  Atomics.store(board.ready, 0, 0)
  const guard = mutex.lockSync()
  const answer = answerOf(children)
  children[0]?.send({ kind: 'wait', how })
  while (Atomics.load(board.ready, 0) === 0) await sleep(1)
  await pause()
  board.released[0] = process.hrtime.bigint()
  guard.release()
  return (await answer) as number
}

async function echoed({ children }: Lockers): Promise<number> {
  await pause()
  let now = 0n
  const answer = answerOf(children, () => {
    now = process.hrtime.bigint()
  })
  const start = process.hrtime.bigint()
  children[0]?.send({ kind: 'echo' })
  await answer
  return Number(now - start)
}

/** The answer of the only child. `onAnswer` is called as soon as it arrives. */
const answerOf = ([child]: Lockers['children'], onAnswer: () => void = () => {}): Promise<unknown> =>
  new Promise(resolve => {
    child?.once('message', answer => {
      onAnswer()
      resolve(answer)
    })
  })
