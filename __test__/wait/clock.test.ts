import '../helpers/domain.js'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { unique } from '../helpers/domain.js'
import { gone, message, start } from '../processes/children.js'

test('fake clocks and timers change nothing for waits', async t => {
  const child = start('wait/wait-beside-fake-timers', join(tmpdir(), unique('fake')))
  t.is(await message(child), 'done')
  t.is((await gone(child)).code, 0)
})

test('no timer gets a time that Node warns of, however late waits expire', async t => {
  const child = start('wait/time-out-by-the-hundred')
  t.deepEqual(await message(child), { refused: [], codes: ['ERR_TIMEOUT'] })
})
