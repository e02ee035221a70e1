import type { JoinableQueue, Message, MpmcQueue, SpscConsumer } from 'crossmem'
import type { Below } from '../helpers/random.js'
import type { Promised } from './streams.js'
import { Taking } from './ways.js'

/** Hears of each message that was taken. */
export type Tell = (packed: unknown, isMarked: boolean) => void

/** Takes none, one or at most so many; is done with them when it returns. */
export type Consume = (most: number, tell: Tell) => Promise<void>

/** How to take messages such that the promise holds. */
export function consumeFrom(
  source: object & { crossmem: string },
  promised: Promised,
  below: Below,
  isSync: boolean | undefined,
): Consume {
  if (promised === 'at least once') return peekInto(source as SpscConsumer)
  if (promised === 'marked when it comes again') return receiveFrom(source as MpmcQueue, below, isSync)
  const taking = new Taking(source, below, isSync)
  const isJoinable = source.crossmem === 'JoinableQueue'
  return async (most, tell) => {
    for (const packed of await taking.take(most)) {
      tell(packed, false)
      if (isJoinable) (source as JoinableQueue).taskDone()
    }
  }
}

function receiveFrom(queue: MpmcQueue, below: Below, isSync: boolean | undefined): Consume {
  const ways: (() => Promise<Message<unknown>> | Message<unknown> | undefined)[] = [
    () => queue.tryReceive(),
    () => (isSync ? queue.receiveSync() : queue.receive()),
  ]
  return async (_, tell) => {
    using message = await ways[below(ways.length)]?.()
    if (message) tell(message.value, message.redelivered)
  }
}

const peekInto =
  (consumer: SpscConsumer): Consume =>
  async (most, tell) => {
    for (let i = 0; i < most; i++) {
      const shown = consumer.peek()
      if (!shown) return
      tell(shown, false)
      consumer.release()
    }
  }
