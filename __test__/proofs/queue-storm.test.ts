import '../helpers/domain.js'
import ava from 'ava'
import { list } from 'crossmem'
import { describe, QueueStorm } from '../storm/queue-storm.js'

const KILLS = 300

// `npm run soak -- --kind queues --kills 10000` is the same for longer.
ava(
  `${KILLS} processes that use queues and pipes are killed at any moment, and each promise is kept`,
  async t => {
    for (let kills = 0; kills < KILLS; ) {
      const storm = new QueueStorm()
      await storm.rage(KILLS - kills)
      kills += storm.kills
      t.log(`${storm.kills} killed`)
      for (const account of storm.accounts) t.log(describe(account))
      t.deepEqual(storm.violations, [])
      t.deepEqual(list(), [])
    }
  },
)
