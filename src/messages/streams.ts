import { Readable } from 'node:stream'
import { ReadableStream, WritableStream } from 'node:stream/web'
import { CrossmemError } from '../errors.js'
import type { WaitOptions } from '../wait/index.js'
import { isEnd } from './iterate.js'

/** A value that was taken for a stream. */
export interface Taken<T> {
  readonly value: T
  /** Its consumer has finished it: it asks for the next one, or leaves. */
  release?(): void
}

/**
 * A web stream of the results of `get`, each one taken when it is asked for, until `get` rejects
 * with ERR_ENDED. `giveBack` gets a value that arrived while the stream was being cancelled.
 */
export function readableOf<T>(
  get: (options: WaitOptions) => Promise<T>,
  giveBack: (value: T) => void,
): ReadableStream<T> {
  const cancelled = new AbortController()
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          const value = await get({ signal: cancelled.signal })
          if (cancelled.signal.aborted) giveBack(value)
          else controller.enqueue(value)
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

/**
 * A Node stream of values, each one taken when it is asked for. `Readable.fromWeb` and
 * `Readable.from` take values ahead, which are lost when the stream is destroyed.
 */
export function nodeReadableOf<T>(
  take: (options: WaitOptions) => Promise<Taken<T>>,
  giveBack: (taken: Taken<T>) => void,
): Readable {
  const destroyed = new AbortController()
  let current: Taken<T> | undefined
  const finish = () => {
    current?.release?.()
    current = undefined
  }

  async function next(stream: Readable): Promise<void> {
    try {
      finish()
      const taken = await take({ signal: destroyed.signal })
      if (destroyed.signal.aborted) return giveBack(taken)
      if (taken.value === null || taken.value === undefined) {
        giveBack(taken)
        throw new CrossmemError(
          'ERR_UNSUPPORTED',
          `a Node stream can't carry ${taken.value}, which was put back; use readable, or for await`,
        )
      }
      current = taken
      stream.push(taken.value)
    } catch (error) {
      if (isEnd(error)) stream.push(null)
      else stream.destroy(error as Error)
    }
  }

  return new Readable({
    objectMode: true,
    highWaterMark: 0,
    read() {
      void next(this)
    },
    destroy(error, done) {
      destroyed.abort()
      try {
        finish()
        done(error)
      } catch (failure) {
        done(error ?? (failure as Error))
      }
    },
  })
}

/** A stream into `put`, which waits for room. Closing the stream calls `end`. */
export function writableOf<T>(
  put: (value: T, options: WaitOptions) => Promise<void>,
  end: () => void,
): WritableStream<T> {
  return new WritableStream<T>({
    // Its signal is missing in the types of Node 20.
    write: (value, controller) => {
      const { signal } = controller as unknown as { signal: AbortSignal }
      return put(value, { signal })
    },
    close: end,
  })
}
