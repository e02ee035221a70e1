import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Contender, counted, type Effort, inTurn, rowOf, rowsOf } from '../harness/measure.js'
import { type Missing, reasons } from '../harness/missing.js'
import { type PythonProgram, startPython } from '../harness/python.js'
import type { Section, Table } from '../harness/section.js'
import { type Answers, OVER, READY, RUNNING } from '../locks/locker.js'
import { type Lockers, startLockers, told } from '../locks/lockers.js'
import { LOCKS, pythonContended, pythonLocks } from '../locks/python.js'
import { linesThrough } from './lines.js'
import { CPU } from './queue-rows.js'

const MUTEX = 'crossmem: Mutex'
const EVENTS = 'crossmem: two Events'
const PROCESSES = [1, 2, 4, 8]
const MOST = 8
/** The figures of a slice of contention; after each of them is its CPU time. */
const [PER_OPERATION, PER_HAND_OVER] = [0, 2]
/** Processes that contend for the cores get them for some milliseconds at a time. */
const LONGER = { longer: 4, slices: 20 }

/** The cost of a lock under constant contention. */
export async function contention(effort: Effort): Promise<Section> {
  await using py = await startPython(LOCKS)
  await using lockers = await startLockers(MOST)
  const operations: Table[] = []
  const handOvers: Table[] = []
  for (const processes of PROCESSES) {
    const measured = await inTurn(contenders(lockers, py, processes), effort, LONGER)
    const table = (what: string, figure: number): Table => ({
      title: `${what}, ${processes} ${processes === 1 ? 'process' : 'processes'}`,
      baseline: MUTEX,
      rows: measured.map(one => rowOf(one, [CPU], figure)),
    })
    operations.push(table('Per operation', PER_OPERATION))
    if (processes > 1) handOvers.push(table('Per hand-over', PER_HAND_OVER))
  }
  return {
    id: 'contention',
    title: 'A contended lock',
    intro:
      'Each process acquires the lock, notes which process had it last, and releases it, in a loop. An operation is one acquire and ' +
      'release by any process; a hand-over is an operation whose lock another process had last. An unfair lock does many operations ' +
      'and few hand-overs: the process that released the lock acquires it again before the next process has woken up. In the ' +
      'table “Alternating”, two processes signal each other in turn, so every signal wakes the other process. CPU time is that of ' +
      'all processes that take part, per operation, hand-over or round.',
    tables: [
      ...operations,
      ...handOvers,
      {
        title: 'Alternating, per round',
        baseline: EVENTS,
        rows: rowsOf(await inTurn(byTurns(lockers, py), effort), [CPU]),
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
          (_, ns) => 1e9 / ns,
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

function contenders(lockers: Lockers, py: PythonProgram | Missing, processes: number): Contender[] {
  const ours: Contender = {
    name: MUTEX,
    does: 'mutex.lockSync(), guard.release()',
    slice: milliseconds => contend(lockers, processes, milliseconds),
  }
  if ('missing' in py) return [ours]
  return [
    ours,
    {
      name: `${py.version}: Lock`,
      does: 'multiprocessing.Lock: acquire(), release()',
      slice: pythonContended(py, processes),
    },
  ]
}

/** Nanoseconds per operation and per hand-over of all processes, each with its CPU time. */
async function contend(
  { children, objects: { board } }: Lockers,
  processes: number,
  milliseconds: number,
): Promise<number[]> {
  Atomics.store(board.state, 0, READY)
  Atomics.store(board.ready, 0, 0)
  const running = children.slice(0, processes).map((child, i) => told(child, { kind: 'contend', me: i + 1 }))
  while (Atomics.load(board.ready, 0) < processes) await sleep(1)
  Atomics.store(board.state, 0, RUNNING)
  await sleep(milliseconds)
  Atomics.store(board.state, 0, OVER)
  const done = await Promise.all(running)
  const sum = (what: keyof Answers['contend']): number =>
    done.reduce((total, contended) => total + contended[what], 0)
  const ns = sum('ns') / processes
  return [sum('operations'), sum('handOvers')]
    .map(count => Math.max(1, count))
    .flatMap(count => [ns / count, sum('cpu') / count])
}

function byTurns(lockers: Lockers, py: PythonProgram | Missing): Contender[] {
  const ours = [
    { name: EVENTS, does: 'autoReset: set(), waitSync()', kind: 'events' },
    { name: 'crossmem: two Semaphores', does: 'release(), acquireSync().consume()', kind: 'semaphores' },
  ] as const
  const contenders: Contender[] = ours.map(({ name, does, kind }) => ({
    name,
    does,
    slice: counted(async rounds => {
      const [first, second] = lockers.children as [ChildProcess, ChildProcess]
      const play = (child: ChildProcess, side: 'first' | 'second') =>
        told(child, { kind: 'turns', with: kind, side, rounds })
      const [one, other] = await Promise.all([play(first, 'first'), play(second, 'second')])
      return [one.ns, one.cpu + other.cpu]
    }),
  }))
  if ('missing' in py) return contenders
  const peer: Contender = {
    name: `${py.version}: two Semaphores`,
    does: 'multiprocessing.Semaphore: release(), acquire()',
    slice: pythonLocks(py, 'turns'),
  }
  return [...contenders, peer]
}
