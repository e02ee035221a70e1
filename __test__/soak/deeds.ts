import { LockUse } from '../storm/locks.js'
import { Consuming, Producing } from '../storm/queues.js'
import { streams } from '../storm/streams.js'
import { type Actor, type Deed, PATIENCE } from './actor.js'
import { ChurnDeed } from './churn-deed.js'
import { ArrayDeed, TransferDeed, ValueDeed } from './data-deeds.js'
import { type Lane, type LockKind, lockKinds } from './lanes.js'
import { FileLockDeed, NamedLockDeed } from './lock-deeds.js'
import { HearingDeed, SpeakingDeed } from './pipe-deeds.js'

const deeds: Record<string, new (actor: Actor, lane: Lane) => Deed> = {
  LockManager: NamedLockDeed,
  FileLock: FileLockDeed,
  SharedMemory: ChurnDeed,
  NDArray: ArrayDeed,
  Value: ValueDeed,
  SharedArray: TransferDeed,
  'Pipe, speaking': SpeakingDeed,
  'Pipe, hearing': HearingDeed,
}

/** What is to be done in a lane. */
export function deedOf(actor: Actor, lane: Lane): Deed {
  if (lane.role) return queueDeed(actor, lane)
  const Deed = deeds[lane.title]
  return Deed ? new Deed(actor, lane) : lockDeed(actor, lane)
}

function lockDeed(actor: Actor, lane: Lane): Deed {
  const use = new LockUse(lockKinds.find(kind => kind === lane.kind) as LockKind, {
    id: actor.id,
    isSync: actor.isSync,
    survivor: actor.life.survivor,
    patience: PATIENCE,
    words: actor.board.guarded(lane.number),
    objects: actor.objectsOf(lane),
    now: role => actor.now(lane, role),
    report: what => actor.report(lane, what),
    told: () => actor.told(lane),
  })
  return {
    turn: async () => {
      await use.turn()
      return 1
    },
    close: () => use.close(),
  }
}

function queueDeed(actor: Actor, lane: Lane): Deed {
  const number = lane.stream as number
  const accounts = actor.board.accounts[number]
  const stream = streams[number]
  if (!accounts || !stream) throw new Error(`there is no stream ${number}`)
  const hands = actor.board.hands(actor.life.seat)
  const use = new { producer: Producing, consumer: Consuming }[lane.role ?? 'producer']({
    id: actor.id,
    isSync: actor.isSync,
    stream,
    name: actor.objectsOf(lane)[0] as string,
    accounts,
    below: actor.below,
    inHands: count => Atomics.store(hands, number, count),
    report: what => actor.report(lane, what),
  })
  return {
    turn: () => use.turn(),
    endsWithQueue: lane.role === 'consumer',
    close: () => use.close(),
  }
}
