import { domain, hold, leave, leaveNothing, test, user } from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { kill } from '../processes/children.js'
import { crossmem, errorsIn, json } from '../processes/command.js'

leaveNothing()

test('rm removes what it can, and processes that have it open keep its bytes', async t => {
  const [first, second, third] = ['first', 'second', 'third'].map(unique) as [string, string, string]
  const missing = unique('missing')
  const holders = [await hold(second, { shape: [4] }), await hold(third, { byteLength: 9, persist: true })]
  const writer = await user()
  await writer.tell({ do: 'create', name: first, byteLength: 4096 })
  await writer.tell({ do: 'write', at: 5, value: 42 })

  const ran = await crossmem('rm', first, missing, 'no/name', second, second)
  t.is(ran.code, 1)
  t.is(ran.stdout, `removed ${first}\nremoved ${second}\n`)
  t.deepEqual(
    ran.stderr
      .trimEnd()
      .split('\n')
      .map(line => line.match(/\((\w+)\)$/)?.[1]),
    ['ERR_NOT_FOUND', 'ERR_INVALID_NAME'],
  )
  t.is(await writer.tell({ do: 'read', at: 5 }), 42)

  const asJson = await crossmem('rm', missing, third, '--json')
  t.is(asJson.code, 1)
  const [error] = errorsIn(asJson)
  t.deepEqual(JSON.parse(asJson.stdout), {
    domain,
    group: null,
    removed: [third],
    failed: [{ name: missing, ...error }],
  })
  t.deepEqual((await json('ls')).data, { domain, group: null, objects: [] })

  await writer.leave()
  await Promise.all(holders.map(leave))
})

test('rm of a doomed object says that it is gone', async t => {
  const name = unique('doomed')
  await kill(await hold(name, { byteLength: 100 }))
  t.deepEqual(await json('rm', name), { code: 0, data: { domain, group: null, removed: [name], failed: [] } })
})
