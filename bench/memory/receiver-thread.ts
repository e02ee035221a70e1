// A worker thread: receives an array by postMessage, answers with its first and last element, and
// transfers a transferred array back.
import { parentPort } from 'node:worker_threads'

parentPort?.on(
  'message',
  ({ data, transferred }: { data: Float64Array<ArrayBuffer>; transferred: boolean }) => {
    const ends = [data[0], data[data.length - 1]]
    if (transferred) parentPort?.postMessage({ ends, data }, [data.buffer])
    else parentPort?.postMessage({ ends })
  },
)
