import { ReadableStream, WritableStream } from 'node:stream/web'
import type { WaitOptions } from '../wait/index.js'
import { isEnd } from './iterate.js'

/** A stream of what `get` gives, one item at a time as they are asked for, until it rejects with ERR_ENDED. */
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
    // Nothing is taken out before somebody asks for it.
    { highWaterMark: 0 },
  )
}

/** A stream into `put`, which waits for room; closing it calls `end`. */
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
