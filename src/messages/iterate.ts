import { hasCode } from '../errors.js'
import type { Message } from './message.js'

export const isEnd = (error: unknown): boolean => hasCode(error, 'ERR_ENDED')

/** Yields the results of `next` until it rejects with ERR_ENDED. */
export async function* untilEnded<T>(next: () => Promise<T>): AsyncGenerator<T, void, void> {
  for (;;) {
    let item: T
    try {
      item = await next()
    } catch (error) {
      if (isEnd(error)) return
      throw error
    }
    yield item
  }
}

/** Yields the values of messages. Each message is released when the next one is asked for. */
export async function* valuesOf<T>(messages: AsyncIterable<Message<T>>): AsyncGenerator<T, void, void> {
  for await (const message of messages) {
    try {
      yield message.value
    } finally {
      message.release()
    }
  }
}
