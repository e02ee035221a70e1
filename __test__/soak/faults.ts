import { setTimeout as pause } from 'node:timers/promises'
import { open, type Queue, SharedMemory } from 'crossmem'
import { packingOf } from '../storm/parcels.js'
import { streams } from '../storm/streams.js'
import type { Actor } from './actor.js'
import { type Lane, laneOf, lanes } from './lanes.js'

/** A queue of the soak whose messages are to come once. */
const lane = lanes.find(({ stream }) => streams[stream ?? -1]?.kind === 'Queue') as Lane

/** What a survivor can do wrong, so that it is seen that the soak finds it. */
const faults: Record<string, (actor: Actor) => Promise<void>> = {
  /** Goes where others are, without asking. */
  'ignores-the-lock': async ({ board }) => {
    const words = board.guarded(laneOf('Mutex').number)
    words[0] = -1
    await pause(1)
    words[0] = 0
  },
  'sends-twice': async actor => {
    const { accounts, queue } = streamOf(actor)
    for (const id of accounts?.open(1) ?? []) {
      const parcel = packingOf('Queue').pack({ producer: actor.id + 2 ** 30, id, filling: 0 })
      await queue.put(parcel)
      await queue.put(parcel)
      accounts?.wasPut(id)
    }
    queue.close()
  },
  /** Takes messages out and keeps no account of them. */
  'loses-messages': async actor => {
    const { queue } = streamOf(actor)
    queue.tryGet()
    queue.close()
  },
  /** Takes a lock and keeps it. */
  'keeps-the-lock': async actor => {
    const mutex = open(actor.objectsOf(laneOf('Mutex'))[0] as string) as unknown as {
      lock(): Promise<unknown>
    }
    await mutex.lock()
    while (!actor.board.isOver) await pause(10)
  },
  'leaves-a-segment': async ({ life, board }) => {
    SharedMemory.create(`${life.word}-left`, 1, { persist: true }).close()
    while (!board.isOver) await pause(10)
  },
}

/** Does something wrong, again and again. */
export async function commit(actor: Actor, fault: string): Promise<void> {
  while (!actor.board.isOver) {
    await faults[fault]?.(actor)
    await pause(10)
  }
}

export const faultNames = Object.keys(faults)

function streamOf(actor: Actor) {
  const queue = open(actor.objectsOf(lane)[0] as string) as unknown as Queue
  return { accounts: actor.board.accounts[lane.stream as number], queue }
}
