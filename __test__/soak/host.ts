import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { say } from '../processes/parent.js'
import type { Actor, Life } from './actor.js'
import { AS_PLANNED, planEnd } from './planned-end.js'

/**
 * Starts a thread that lives in the soak, and terminates it in the midst of its work, again and
 * again.
 */
export async function host(actor: Actor, life: Life, program: string): Promise<void> {
  const { below, board } = actor
  while (!board.isOver) {
    const worker = new Worker(program, { stdout: true, stderr: true })
    const ended = new Promise(resolve => worker.once('exit', resolve))
    worker.on('error', error => {
      if (error.message !== AS_PLANNED) say(`a thread ends: ${error.stack}`)
    })
    await once(worker, 'message')
    worker.on('message', said => {
      if (said !== 'begun') say(said)
    })
    const lanes = life.lanes.filter(() => below(3) === 0)
    worker.postMessage({ ...life, lanes, end: planEnd(below) } satisfies Life)
    await Promise.race([ended, pause(30 + below(300))])
    await worker.terminate()
    board.bury(life.seat)
    board.noteTermination()
    await pause(below(100))
  }
}
