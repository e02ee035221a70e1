import { readdirSync } from 'node:fs'
import ava from 'ava'
import { gc, list, NDArray } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { random } from '../helpers/random.js'
import { kill, message, start } from '../processes/children.js'

const test = ava.serial
const KILLS = 100

test('a hundred processes are killed at any moment, and the others go on', async t => {
  const prefix = unique('churn')
  const shared = NDArray.create(`${prefix}-shared`, { shape: [200], dtype: 'float64' })
  const survivor = start('proofs/churn', prefix, '0')
  await message(survivor)
  const below = random(42)
  for (let i = 1; i <= KILLS; i++) {
    const victim = start('proofs/churn', prefix, String(i))
    // Some rounds, and then anywhere in the next ones.
    for (let rounds = 1 + below(5); rounds > 0; rounds--) await message(victim)
    for (let turns = below(40); turns > 0; turns--) await new Promise(setImmediate)
    await kill(victim)
    await message(survivor)
  }
  await kill(survivor)
  gc()
  shared.update(data => data.fill(1))
  t.true(shared.snapshot().every(value => value === 1))
  t.deepEqual(
    list().map(object => ({
      name: object.name,
      alive: object.attached.map(agent => agent.alive),
      doomed: object.doomed,
    })),
    [{ name: `${prefix}-shared`, alive: [true], doomed: false }],
  )
  shared.close()
  t.deepEqual(list(), [])
  if (process.platform === 'linux') {
    t.deepEqual(
      readdirSync('/dev/shm').filter(file => file.startsWith(prefix)),
      [],
    )
  }
})
