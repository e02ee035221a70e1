import '../helpers/domain.js'
import ava from 'ava'
import { describe, storm } from '../storm/storm.js'

const KILLS = 300

// `npm run soak -- --kills 10000` is the same for longer.
ava(`${KILLS} processes are killed at any moment for each kind of lock, and the others go on`, async t => {
  const { summaries, violations } = await storm(KILLS)
  for (const summary of summaries) t.log(describe(summary))
  t.deepEqual(violations, [])
  t.true(summaries.every(({ kills }) => kills >= KILLS))
})
