import { join } from 'node:path'
import { Piscina, version } from 'piscina'
import { type Package, TASKS } from '../pool.js'

export const peer: Package = {
  version,
  start(workers, option) {
    const pool = new Piscina({ filename: TASKS, minThreads: workers, maxThreads: workers })
    return {
      run(name, argument) {
        if (name === 'pass' && option === 'move') {
          const { buffer } = argument as Float64Array<ArrayBuffer>
          return pool.run(argument, { filename: join(__dirname, 'piscina-move.js'), transferList: [buffer] })
        }
        return pool.run(argument, { name })
      },
      passesOn: option === 'move',
      close: () => pool.destroy(),
    }
  },
}
