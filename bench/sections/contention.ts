import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Contender, inTurn } from '../harness/measure.js'
import { type Missing, reasons } from '../harness/missing.js'
import { type Python, python } from '../harness/python.js'
import type { Section, Table } from '../harness/section.js'
import { type Contended, OVER, READY, RUNNING } from '../locks/locker.js'
import { type Lockers, startLockers, told } from '../locks/lockers.js'
import { pythonLocks } from '../locks/python.js'
import { linesThrough } from './lines.js'

const MUTEX = 'crossmem: Mutex'
const EVENTS = 'crossmem: two Events'
const PROCESSES = [1, 2, 4, 8]
const MOST = 8

/** The cost of a lock under constant contention. */
export async function contention(quick: boolean): Promise<Section> {
  const py = python()
  const rounds = quick ? 1 : 5
  const milliseconds = quick ? 20 : 150
  await using lockers = await startLockers(MOST)
  const table = async (title: string, what: What, processes: number): Promise<Table> => ({
    title,
    baseline: MUTEX,
    rows: await inTurn(contenders(lockers, py, what, processes, milliseconds), { rounds }),
  })
  const operations: Table[] = []
  for (const processes of PROCESSES) {
    operations.push(await table(processesIn('Per operation', processes), 'operations', processes))
  }
  return {
    id: 'contention',
    title: 'A contended lock',
    intro:
      `Each process acquires the lock, notes which process had it last, and releases it, in a loop for ${milliseconds} ms. An ` +
      'operation is one acquire and release by any process; a hand-over is an operation whose lock another process had last. ' +
      'An unfair lock does many operations and few hand-overs: the process that released the lock acquires it again before ' +
      'the next process has woken up. In the table “Alternating”, two processes signal each other in turn, so every signal ' +
      'wakes the other process.',
    tables: [
      ...operations,
      await table(processesIn('Per hand-over', 2), 'hand-overs', 2),
      await table(processesIn('Per hand-over', 4), 'hand-overs', 4),
      {
        title: 'Alternating, per round',
        baseline: EVENTS,
        rows: await inTurn(byTurns(lockers, py, quick ? 50 : 4000), { rounds }),
      },
    ],
    curves: [
      {
        id: 'contention-scaling',
        title: 'A contended lock, by number of processes',
        x: { title: 'processes', unit: 'number' },
        y: { title: 'operations a second', unit: 'a second' },
        baseline: MUTEX,
        lines: linesThrough(
          [{ names: /^crossmem: Mutex$/ }, { names: /^Python/ }],
          operations.map(({ rows }, i) => ({ x: PROCESSES[i] as number, rows })),
          (_, { median }) => 1e9 / median,
        ),
      },
    ],
    targets: [],
    better: [
      'Python: its semaphore is one word at which the kernel lets waiters sleep, without a record of the holders. That costs ' +
        'less for processes that alternate, but permits that a killed process held are lost.',
    ],
    missing: reasons(py),
  }
}

const processesIn = (what: string, count: number): string =>
  `${what}, ${count} ${count === 1 ? 'process' : 'processes'}`

type What = 'operations' | 'hand-overs'

function contenders(
  lockers: Lockers,
  py: Python | Missing,
  what: What,
  processes: number,
  milliseconds: number,
): Contender[] {
  const ours: Contender = {
    name: MUTEX,
    does: 'mutex.lockSync(), guard.release()',
    sample: () => contend(lockers, what, processes, milliseconds),
  }
  if ('missing' in py) return [ours]
  return [
    ours,
    {
      name: `${py.version}: Lock`,
      does: 'multiprocessing.Lock: acquire(), release()',
      sample: pythonLocks(py, what, processes, milliseconds),
    },
  ]
}

/** Nanoseconds per operation, or per hand-over, of all processes together. */
async function contend(
  { children, objects: { board } }: Lockers,
  what: What,
  processes: number,
  milliseconds: number,
): Promise<number> {
  Atomics.store(board.state, 0, READY)
  Atomics.store(board.ready, 0, 0)
  const running = children
    .slice(0, processes)
    .map((child, i) => told<Contended>(child, { kind: 'contend', me: i + 1 }))
  while (Atomics.load(board.ready, 0) < processes) await sleep(1)
  Atomics.store(board.state, 0, RUNNING)
  await sleep(milliseconds)
  Atomics.store(board.state, 0, OVER)
  const done = await Promise.all(running)
  const sum = (number: (contended: Contended) => number): number =>
    done.reduce((total, contended) => total + number(contended), 0)
  const count = sum(contended => (what === 'operations' ? contended.operations : contended.handOvers))
  return sum(contended => contended.ns) / processes / Math.max(1, count)
}

function byTurns(lockers: Lockers, py: Python | Missing, many: number): Contender[] {
  const ours = [
    { name: EVENTS, does: 'autoReset: set(), waitSync()', kind: 'events' },
    { name: 'crossmem: two Semaphores', does: 'release(), acquireSync().consume()', kind: 'semaphores' },
  ] as const
  const contenders: Contender[] = ours.map(({ name, does, kind }) => ({
    name,
    does,
    async sample() {
      const [first, second] = lockers.children as [ChildProcess, ChildProcess]
      const play = (child: ChildProcess, side: 'first' | 'second') =>
        told<number>(child, { kind: 'turns', with: kind, side, rounds: many })
      const [took] = await Promise.all([play(first, 'first'), play(second, 'second')])
      return took
    },
  }))
  if ('missing' in py) return contenders
  const peer: Contender = {
    name: `${py.version}: two Semaphores`,
    does: 'multiprocessing.Semaphore: release(), acquire()',
    sample: pythonLocks(py, 'turns', many),
  }
  return [...contenders, peer]
}
