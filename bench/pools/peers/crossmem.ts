import { Pool, SharedArray } from 'crossmem'
import { type Package, TASKS } from '../pool.js'

type Tasks = typeof import('../tasks.js')

export const peer: Package = {
  version: '',
  start(workers, option) {
    const pool = new Pool<Tasks>(TASKS, { workers, kind: option === 'thread' ? 'thread' : 'process' })
    const passesOn = option === 'shared'
    const apply = async (task: string, argument?: unknown): Promise<unknown> =>
      pool.apply(task as 'pass', [argument as Float64Array])
    return {
      run: passesOn ? sharing(pool) : apply,
      map: numbers => pool.map('square', numbers),
      passesOn,
      async close() {
        pool.terminate()
        await pool.join()
      },
    }
  },
}

/** Passes a SharedArray, which is made of the first array. */
function sharing(pool: Pool<Tasks>): (task: string, argument?: unknown) => Promise<unknown> {
  let shared: SharedArray<'float64'> | undefined
  return async (_, argument) => {
    if (shared?.data !== argument) shared = SharedArray.create(null, 'float64', argument as Float64Array)
    await pool.apply('passShared', [shared as SharedArray<'float64'>])
    return shared?.data
  }
}
