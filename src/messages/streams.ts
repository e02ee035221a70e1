import { ReadableStream, WritableStream } from 'node:stream/web'
import type { WaitOptions } from '../wait/index.js'
import { isEnd } from './iterate.js'

/**
 * A stream of the results of `get`, each one taken when it is asked for, until `get` rejects with
 * ERR_ENDED.
 */
export function readableOf<T>(get: (options: WaitOptions) => Promise<T>): ReadableStream<T> {
  const cancelled = new AbortController()
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          controller.enqueue(await get({ signal: cancelled.signal }))
        } catch (error) {
          if (cancelled.signal.aborted) return
          if (isEnd(error)) controller.close()
          else controller.error(error)
        }
      },
      cancel: reason => cancelled.abort(reason),
    },
    // The stream must not take a message before its reader asks for one.
    { highWaterMark: 0 },
  )
}

/** A stream into `put`, which waits for room. Closing the stream calls `end`. */
export function writableOf<T>(
  put: (value: T, options: WaitOptions) => Promise<void>,
  end: () => void,
): WritableStream<T> {
  return new WritableStream<T>({
    // Its signal is missing in the types of Node 20.
    write: (value, controller) => put(value, controller as unknown as { signal: AbortSignal }),
    close: end,
  })
}
