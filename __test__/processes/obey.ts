import type { ChildProcess } from 'node:child_process'
import type { Order } from '../fixtures/processes/obey.js'
import { message, start } from './children.js'

/** A child that does with shared objects what it is told. */
export interface Peer {
  child: ChildProcess
  /** Resolves with what the child answers; rejects with its `code` when it was refused. */
  tell<T>(order: Order): Promise<T>
}

export async function peer(): Promise<Peer> {
  const child = start('processes/obey')
  await message(child)
  return {
    child,
    async tell<T>(order: Order): Promise<T> {
      const answer = message<{ answer?: T; refused?: string }>(child)
      child.send(order)
      const { answer: value, refused } = await answer
      if (refused) throw new Error(refused)
      return value as T
    },
  }
}
