import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Package } from '../pool.js'

/** No pool: as many forks, each of which gets one task. */
export const peer: Package = {
  version: '',
  start(workers) {
    const forks = Array.from({ length: workers }, () => fork(join(__dirname, 'forks-child.js')))
    const free = [...forks]
    return {
      async run(task, argument) {
        const child = free.pop() as ChildProcess
        child.send({ task, argument })
        await once(child, 'message')
      },
      close: () => Promise.all(forks.map(stop)),
    }
  },
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill()
  await gone
}
