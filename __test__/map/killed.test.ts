import '../helpers/domain.js'
import { readdirSync } from 'node:fs'
import ava from 'ava'
import { gc, list } from 'crossmem'
import { SharedMap } from 'crossmem/map'
import { below } from '../helpers/random.js'
import { gone, message, start } from '../processes/children.js'

const test = ava.serial

const KILLS = 200
const AT_ONCE = 4
/** No call waits so long unless it hangs. */
const PATIENT = { timeout: 20_000 }

const files = (): string[] =>
  readdirSync('/dev/shm').filter(name => name.includes(`${process.env.CROSSMEM_DOMAIN}+`))

const maps = () => list().filter(({ kind }) => kind === 'SharedMap')

test(`${KILLS} processes are killed at any moment, and the others read and write on`, async t => {
  const plain = SharedMap.create(null, { ttl: 10_000 })
  const small = SharedMap.create(null, { maxBytes: 1 << 18 })
  let kills = 0
  let turns = 0
  const mourn = async (): Promise<void> => {
    while (kills < KILLS) {
      kills++
      const child = start('map/use-map-endlessly', plain.name, small.name)
      await message(child)
      await new Promise(resolve => setTimeout(resolve, below(60)))
      child.kill('SIGKILL')
      t.is((await gone(child)).signal, 'SIGKILL')
      for (const map of [plain, small]) {
        const key = `kept ${below(10)}`
        await map.set(key, turns, { ...PATIENT, ttl: Number.POSITIVE_INFINITY })
        await map.update(key, turns => Number(turns) + 1, PATIENT)
        t.is(typeof map.get(key), 'number')
        const waited = AbortSignal.timeout(PATIENT.timeout)
        const none = { length: 0, bytes: new Uint8Array(0) }
        const made = await map.getOrInsert(below(200), key => ({ key, ...none }), { signal: waited })
        const { length, bytes } = made as typeof none
        t.is(bytes.length, length)
        turns++
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, mourn))
  for (const map of [plain, small]) {
    // Counted and listed are the same, once what has expired is out.
    await map.delete('no such key')
    const listed = [...map.keys()]
    t.true(map.size >= listed.length)
    t.deepEqual(listed, [...new Set(listed)])
    for (const key of listed) t.true(map.has(key) || map.get(key) === undefined)
    await map.clear(PATIENT)
    t.deepEqual([map.size, [...map]], [0, []])
    for (let i = 0; i < 20; i++) await map.set(i, i)
    t.is(map.size, 20)
  }
  t.true(small.usedBytes <= 1 << 18)
  plain.close()
  small.close()
  t.deepEqual([maps(), files()], [[], []])
})

test('the last user of a map is killed, and a sweep removes all of its files', async t => {
  const plain = SharedMap.create(null)
  const small = SharedMap.create(null, { maxBytes: 1 << 18 })
  const child = start('map/use-map-endlessly', plain.name, small.name)
  await message(child)
  plain.close()
  small.close()
  t.is(files().length, 4)
  child.kill('SIGKILL')
  await gone(child)
  gc()
  t.deepEqual([maps(), files()], [[], []])
})

test('threads of a process are terminated at any moment, and other processes read and write on', async t => {
  const plain = SharedMap.create(null, { ttl: 10_000 })
  const small = SharedMap.create(null, { maxBytes: 1 << 18 })
  const child = start('map/terminate-threads', plain.name, small.name)
  // LMDB's addon ends the whole process if it is unlucky.
  const { code, signal } = await gone(child)
  t.true(code === 0 || signal === 'SIGABRT', `${code} ${signal}`)
  for (const map of [plain, small]) {
    await map.set('kept', 1, PATIENT)
    t.is(map.get('kept'), 1)
  }
  plain.close()
  small.close()
  gc()
  t.deepEqual([maps(), files()], [[], []])
})
