import { domain, leaveNothing, test } from '../contracts/command.js'
import type { ManagerOrders } from '../fixtures/manager/use-manager.js'
import { cells, crossmem, json } from '../processes/command.js'
import { hire } from '../processes/hire.js'

leaveNothing()

test('managers are listed, and one is inspected', async t => {
  t.is((await crossmem('managers')).stdout, `no managers in domain "${domain}"\n`)
  const user = await hire<ManagerOrders>('manager/use-manager')
  await user.tell({ do: 'start', options: { name: 'jobs' } })
  await user.tell({ do: 'make', as: 'scores', with: 'dict', args: [{ a: 1 }] })
  await user.tell({ do: 'invoke', on: 'manager', method: 'publish', args: ['scores', '@scores'] })
  const { pid } = (await user.tell({ do: 'invoke', on: 'manager', method: 'stats' })) as { pid: number }
  const listed = (await crossmem('managers')).stdout.trimEnd().split('\n').map(cells)
  t.deepEqual(listed[0], ['NAME', 'PID', 'CLIENTS', 'OBJECTS', 'CALLS', 'URL'])
  t.deepEqual(listed[1]?.slice(0, 4), ['jobs', String(pid), '1', '1'])
  const { data } = await json('managers')
  t.like(data, { domain, managers: [{ name: 'jobs', pid, objects: 1 }] })
  const shown = (await crossmem('inspect', 'jobs')).stdout
  t.regex(shown, /^kind +Manager$/m)
  t.regex(shown, new RegExp(`^clients +${user.pid} \\(1 object\\)$`, 'm'))
  t.regex(shown, /Dict +scores +size 1/)
  t.like((await json('inspect', 'jobs')).data, {
    manager: { objects: [{ kind: 'Dict', names: ['scores'] }] },
  })
  await user.tell({ do: 'close' })
  t.is((await crossmem('inspect', 'jobs')).code, 1)
  await user.leave()
})
