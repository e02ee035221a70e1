import { setTimeout as pause } from 'node:timers/promises'
import {
  type AnyHandle,
  gc,
  JoinableQueue,
  list,
  locks,
  type NDArray,
  open,
  type Queue,
  type SharedArray,
  SpscQueue,
  type Value,
} from 'crossmem'
import { drain } from '../storm/end.js'
import type { Balance } from '../storm/ledger.js'
import { packingOf } from '../storm/parcels.js'
import { type Account, imbalancesOf } from '../storm/queue-storm.js'
import { storms } from '../storm/storm.js'
import { type Made, streams, title } from '../storm/streams.js'
import type { Life } from './actor.js'
import { type SoakBoard, states } from './board.js'
import { laneOf, lanes, lockKinds } from './lanes.js'

type Objects = ReadonlyMap<string, readonly AnyHandle[]>

const ENDED = states.indexOf('ended')

/**
 * Lets the survivors of a soak end: releases those that wait for a partner, and ends queues without
 * producers.
 */
export async function letGo(
  board: SoakBoard,
  objects: Objects,
  survivors: readonly Life[],
  areGone: () => boolean,
): Promise<void> {
  board.end()
  const isQuiet = (numbers: readonly number[]) =>
    survivors.every(({ seat, lanes: own }) =>
      numbers.every(number => !own.includes(number) || board.doing(seat)[number] === ENDED),
    )
  const queues = new Map(streams.map((stream, number) => [number, queueOf(objects, title(stream))]))
  const producers = new Map(
    [...queues.keys()].map(number => [
      number,
      lanes.filter(({ stream, role }) => stream === number && role === 'producer').map(lane => lane.number),
    ]),
  )
  let isHeard = false
  while (!areGone()) {
    for (const kind of lockKinds) {
      storms[kind].release?.([...(objects.get(kind) ?? [])], board.guarded(laneOf(kind).number))
    }
    for (const [number, queue] of queues) {
      const isDone = isQuiet(producers.get(number) ?? [])
      if (!streams[number]?.survivors.includes('consumer')) takeOut(board, number, queue)
      if (isDone && hasEnded(queue)) queues.delete(number)
    }
    if (!isHeard && isQuiet([laneOf('Pipe, speaking').number])) {
      isHeard = true
      const [pipe] = objects.get('Pipe') as unknown as [Queue]
      pipe.end()
    }
    await pause(5)
  }
}

/** Flaws in the objects that a soak leaves when all their users are gone. */
export function audit(
  board: SoakBoard,
  objects: Objects,
  balances: readonly Balance[],
): { flaws: string[]; accounts: Account[] } {
  gc()
  const flaws: string[] = []
  const accounts = streams.map((stream, number): Account => {
    const queue = queueOf(objects, title(stream))
    takeOut(board, number, queue)
    const balance = balances[number] as Balance
    board.accounts[number]?.close(board.accounts[number].next, balance)
    const account = { stream, ...balance, inHands: board.inHands[number] as number }
    flaws.push(...imbalancesOf(account, queue).map(flaw => `${title(stream)}: ${flaw}`))
    if (!queue.isEmpty) flaws.push(`${title(stream)}: something is left in it`)
    if (queue instanceof JoinableQueue && queue.unfinished > 0) {
      flaws.push(`${title(stream)}: ${queue.unfinished} tasks are unfinished`)
    }
    return account
  })
  for (const kind of lockKinds) {
    if (!storms[kind].check([...(objects.get(kind) ?? [])])) {
      flaws.push(`${kind}: the gone processes left something behind`)
    }
  }
  return { flaws: [...flaws, ...auditData(board, objects)], accounts }
}

/**
 * What is left in the domain when all objects of a soak are closed; what would stay for good is
 * removed.
 */
export async function clearAway(): Promise<string[]> {
  // Named locks go with the last process of the domain.
  const left = list().filter(({ kind }) => kind !== 'LockManager')
  for (const { name } of left.filter(({ persist }) => persist)) {
    using handle = open(name)
    handle.unlink()
  }
  const { held, pending } = await locks.query()
  return [
    ...left.map(({ kind, name }) => `left behind: ${kind} ${name}`),
    ...[...held, ...pending].map(({ name }) => `left behind: the lock ${name}`),
  ]
}

function auditData(board: SoakBoard, objects: Objects): string[] {
  const flaws: string[] = []
  const words = board.guarded(laneOf('Value').number)
  for (const [i, object] of (objects.get('Value') ?? []).entries()) {
    const { value } = object as unknown as Value<'int32'>
    const [started = 0, done = 0] = words.subarray(2 * i)
    if (value < done || value > started) flaws.push(`Value: ${value} is not from ${done} to ${started}`)
  }
  const accounts = objects.get('SharedArray')?.[0] as unknown as SharedArray<'float64'>
  accounts.update((data, { ownerDied }) => {
    const sum = data.reduce((sum, amount) => sum + amount, 0)
    if (sum !== 0 && !ownerDied) flaws.push(`SharedArray: the accounts sum up to ${sum}`)
  })
  for (const object of objects.get('NDArray') ?? []) {
    ;(object as unknown as NDArray<'float64'>).update((data, { ownerDied }) => {
      const first = data[0] as number
      const isWhole = data.every((value, i) => value === first + i)
      if (!isWhole && !ownerDied) flaws.push(`NDArray: ${object.name} is torn`)
    })
  }
  return flaws
}

/** Ends a queue, unless a killed process that is still dying has its producer's role. */
function hasEnded(queue: Made): boolean {
  return isFree(() => {
    if (!(queue instanceof SpscQueue)) return queue.end()
    using producer = queue.openProducer()
    producer.end()
  })
}

function isFree(use: () => void): boolean {
  try {
    use()
    return true
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUSY') return false
    throw error
  }
}

function takeOut(board: SoakBoard, number: number, queue: Made): void {
  const { unpack } = packingOf(queue.crossmem)
  // What can't be had yet is taken out later, and noticed at the end if it never was.
  isFree(() => {
    for (const packed of drain(queue)) board.accounts[number]?.wasTaken(unpack(packed).id)
  })
}

const queueOf = (objects: Objects, kind: string): Made => objects.get(kind)?.[0] as unknown as Made
