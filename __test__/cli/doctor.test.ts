import { spawnSync } from 'node:child_process'
import { readFileSync, unlinkSync } from 'node:fs'
import {
  domain,
  file,
  hold,
  isClean,
  leave,
  leaveNothing,
  test,
  testOnLinux,
  track,
} from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { kill, message, start } from '../processes/children.js'
import { crossmem, type Diagnosis, json, main } from '../processes/command.js'

leaveNothing()

testOnLinux('doctor finds objects whose name another program removed', async t => {
  const [open, orphan] = ['open', 'orphan'].map(unique) as [string, string]
  const holder = await hold(open, { shape: [5] })
  await leave(await hold(orphan, { byteLength: 8, persist: true }))
  unlinkSync(file(open))
  unlinkSync(file(orphan))

  t.is((await crossmem('ls')).stdout.match(/ name removed /g)?.length, 2)
  t.like((await json('inspect', open)).data, { present: false, array: null, problem: null })
  const ill = await crossmem('doctor')
  t.is(ill.code, 1)
  t.regex(ill.stdout, new RegExp(`^to do: .* "${open}", .*: close it in ${holder.pid}$`, 'm'))
  t.regex(ill.stdout, new RegExp(`^to do: .* "${orphan}", .*: remove it: crossmem rm NAME`, 'm'))
  const { code, data } = await json<Diagnosis>('doctor')
  t.is(code, 1)
  t.deepEqual(
    data.problems.map(problem => problem.code),
    ['NAME_REMOVED', 'NAME_REMOVED'],
  )
  t.deepEqual(data.sweepable, { agents: 0, objects: 0, bytes: 0 })

  t.deepEqual((await json('rm', orphan)).data, { domain, group: null, removed: [orphan], failed: [] })
  await leave(holder)
})

testOnLinux('doctor and ls work while a stopped process holds the registry, and doctor names it', async t => {
  const child = start('proofs/use-registry-endlessly')
  track(child)
  await message(child)
  const stopped = (): boolean =>
    / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8').replace(/.*\)/s, ''))
  // Stopped again and again, until it happens inside.
  let found: { code: number; data: Diagnosis }
  do {
    child.kill('SIGCONT')
    child.kill('SIGSTOP')
    while (!stopped());
    found = await json<Diagnosis>('doctor')
  } while (found.data.registryHeldBy === null)

  t.is(found.data.registryHeldBy, child.pid as number)
  t.is(found.code, 1)
  t.true(found.data.problems.some(problem => problem.code === 'REGISTRY_STUCK'))
  const { stdout } = await crossmem('doctor')
  t.regex(stdout, new RegExp(`^registry +held by ${child.pid} now$`, 'm'))
  t.regex(
    stdout,
    new RegExp(`^to do: process ${child.pid} holds the registry .*; continue it or kill it$`, 'm'),
  )
  t.is((await crossmem('ls')).code, 0)
  await kill(child)
  t.is((await crossmem('gc')).code, 0)
  await isClean(t)
})

// A /dev/shm of its own, of 1 MiB, needs a mount namespace.
const inFullShm = (command: string): string[] => [
  '--mount',
  'sh',
  '-c',
  `mount -t tmpfs -o size=1m tmpfs /dev/shm && head -c 1048576 /dev/zero > /dev/shm/filler && ${command}`,
]
const canFill = process.platform === 'linux' && spawnSync('unshare', inFullShm('true')).status === 0
const testFull = canFill ? test : test.skip

testFull('doctor works where shared memory is full, and says so', async t => {
  const { status, stdout } = spawnSync('unshare', inFullShm(`"${process.execPath}" "${main}" doctor`), {
    encoding: 'utf8',
  })
  t.is(status, 1)
  t.regex(stdout, /^\/dev\/shm +0 B free of 1\.0 MiB$/m)
  t.regex(stdout, /^to do: shared memory is full: 0 B free of 1\.0 MiB; /m)
})
