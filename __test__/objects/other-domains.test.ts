import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test from 'ava'
import { Mutex, NDArray, Queue, RecordQueue, SharedMemory, Value } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'

interface Outcome {
  code?: string
  message?: string
  kind?: string
}

/** What a process of another domain gets when it opens each of these, by name and by reference. */
function openedElsewhere(handles: { name: string; toJSON(): object }[]): Outcome[][] {
  const program = `
    const { open } = require(${JSON.stringify(join(root, 'dist', 'index.js'))})
    const outcome = given => {
      try {
        const handle = open(given)
        handle.close()
        return { kind: handle.crossmem }
      } catch ({ code, message }) {
        return { code, message }
      }
    }
    const references = ${JSON.stringify(handles)}
    console.log(JSON.stringify(references.map(given => [outcome(given.name), outcome(given)])))`
  const env = { ...process.env, CROSSMEM_DOMAIN: unique('elsewhere') }
  const { stdout, stderr } = spawnSync(process.execPath, ['--eval', program], { env, encoding: 'utf8' })
  if (stderr) throw new Error(stderr)
  return JSON.parse(stdout)
}

test('open() of an object of another domain names that domain, and opens nothing', t => {
  const domain = process.env.CROSSMEM_DOMAIN as string
  const handles = [
    NDArray.create(unique('array'), { shape: [3] }),
    NDArray.create(unique('array'), { shape: [0], dtype: 'int8' }),
    Mutex.create(unique('mutex')),
    Queue.create(unique('queue')),
    RecordQueue.create(unique('records'), { dtype: [['id', '<i4']] }),
    Value.create(unique('value'), 'int32'),
  ]
  for (const [i, outcomes] of openedElsewhere(handles).entries()) {
    const { crossmem, name } = handles[i] as (typeof handles)[number]
    for (const { code, message } of outcomes) {
      t.is(code, 'ERR_WRONG_DOMAIN', `${crossmem}: ${message}`)
      t.true(message?.includes(`the domain "${domain}"`), message)
      t.true(message?.includes(`set CROSSMEM_DOMAIN=${domain}`), message)
    }
    t.true(outcomes[0]?.message?.startsWith(`"${name}" (${crossmem}) was made in`))
  }
  for (const handle of handles) handle.close()
})

test('plain memory of another domain opens as a SharedMemory, and so does any object by request', t => {
  const memory = SharedMemory.create(unique('memory'), 4096)
  t.deepEqual(openedElsewhere([memory]), [[{ kind: 'SharedMemory' }, { kind: 'SharedMemory' }]])
  const array = NDArray.create(unique('array'), { shape: [3] })
  const asMemory = { name: array.name, toJSON: () => ({ crossmem: 'SharedMemory', name: array.name }) }
  const [[byName, byReference] = []] = openedElsewhere([asMemory])
  t.is(byName?.code, 'ERR_WRONG_DOMAIN')
  t.deepEqual(byReference, { kind: 'SharedMemory' })
  memory.close()
  array.close()
})
