import '../helpers/domain.js'
import test from 'ava'
import { SharedMap } from 'crossmem/map'
import { unique } from '../helpers/domain.js'
import { crossmem, json } from '../processes/command.js'

test('ls and inspect show how many entries a map has, and what it takes', async t => {
  const name = unique('map')
  using map = SharedMap.create(name, { maxBytes: 1 << 20 })
  await map.set('a', 1)
  await map.set('b', 2)
  await map.delete('a')
  const { data } = await json<{ kind: string; state: object; byteLength: number }>('inspect', name)
  t.is(data.kind, 'SharedMap')
  t.deepEqual(data.state, { ownerDied: false, size: 1, maxBytes: 1 << 20 })
  t.true(data.byteLength >= 4 << 20, `${data.byteLength} bytes`)
  t.regex((await crossmem('ls')).stdout, /SharedMap .*1 entry, 1\.0 MiB at most/)
  await map.clear()
  t.regex((await crossmem('inspect', name)).stdout, /state +0 entries/)
  t.is((await crossmem('rm', name)).code, 0)
  await t.throwsAsync(async () => SharedMap.open(name), { code: 'ERR_NOT_FOUND' })
})
