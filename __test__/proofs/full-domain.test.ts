import '../helpers/domain.js'
import { readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import test from 'ava'
import { gc, list, SharedMemory } from 'crossmem'
import { kill, message, start } from '../processes/children.js'

const OBJECTS = 65_536
const prefix = process.env.CROSSMEM_DOMAIN as string
const files = (): string[] => readdirSync('/dev/shm').filter(file => file.startsWith(prefix))

const testOnLinux = process.platform === 'linux' ? test : test.skip

testOnLinux('65,536 objects are found by name, and go with the processes that had them', async t => {
  // A process may have fewer mappings than a domain has objects.
  const bounds = [0, OBJECTS / 2, OBJECTS]
  const owners = [0, 1].map(i => start('proofs/own-many', prefix, String(bounds[i]), String(bounds[i + 1])))
  t.teardown(() => owners.map(owner => owner.kill('SIGKILL')))
  t.deepEqual(await Promise.all(owners.map(owner => message<number>(owner))), [OBJECTS / 2, OBJECTS / 2])

  const refused = t.throws(() => SharedMemory.create(`${prefix}.more`, 1), { code: 'ERR_LIMIT' })
  t.regex(refused.message, /65536 objects/)
  t.is(SharedMemory.openOrCreate(`${prefix}.0`, 1).byteLength, 1)
  t.is(files().length, OBJECTS)
  t.is(list().length, OBJECTS)

  for (let number = 0; number < OBJECTS; number++) {
    const memory = SharedMemory.open(`${prefix}.${number}`)
    if (memory.byteLength !== 1) t.fail(`object ${number} has ${memory.byteLength} bytes`)
    memory.close()
    if (number % 1024 === 0) await turn()
  }

  await kill(owners[0] as (typeof owners)[0])
  // This process still has the object with number 0 open.
  t.deepEqual(gc(), { agents: 1, objects: OBJECTS / 2 - 1, bytes: OBJECTS / 2 - 1 })
  t.is(files().length, OBJECTS / 2 + 1)
  const room = SharedMemory.create(`${prefix}.more`, 1)

  // The next process that joins removes what the other one had.
  await kill(owners[1] as (typeof owners)[1])
  const newcomer = start('proofs/own-many', prefix, String(OBJECTS), String(OBJECTS + 1))
  t.is(await message<number>(newcomer), 1)
  t.deepEqual(files().sort(), [`${prefix}.0`, `${prefix}.${OBJECTS}`, `${prefix}.more`])
  room.close()
  await kill(newcomer)
})
