import { domain, hold, isClean, leave, leaveNothing, test, user } from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { kill } from '../processes/children.js'
import { cells, crossmem, type Diagnosis, json } from '../processes/command.js'

leaveNothing()

test('doctor finds the leftovers of a killed process, and gc frees them', async t => {
  const [lost, shared, kept] = ['lost', 'shared', 'kept'].map(unique) as [string, string, string]
  const victim = await hold(lost, { shape: [1000] })
  const alsoVictim = await hold(shared, { byteLength: 100 })
  const survivor = await user()
  await survivor.tell({ do: 'open', reference: shared })
  const bystander = await hold(kept, { byteLength: 100 })
  await isClean(t)
  await kill(victim)
  await kill(alsoVictim)

  const listed = (await crossmem('ls')).stdout.trimEnd().split('\n').map(cells)
  t.deepEqual(listed, [
    ['NAME', 'KIND', 'BYTES', 'STATE', 'WAITING', 'ATTACHED'],
    [kept, 'SharedMemory', '100 B', '-', '-', String(bystander.pid)],
    [lost, 'NDArray', '12.0 KiB', 'doomed', '-', `${victim.pid} (dead)`],
    [shared, 'SharedMemory', '100 B', '-', '-', `${alsoVictim.pid} (dead), ${survivor.pid}`],
  ])

  // Looking at it is no reason for it to go.
  const inspected = await crossmem('inspect', lost)
  t.is(inspected.code, 0)
  t.regex(inspected.stdout, /^note +doomed/m)
  t.like((await json('inspect', lost)).data, { doomed: true, array: null, problem: null })

  const ill = await crossmem('doctor')
  // The next process that joins sweeps it: no failure.
  t.deepEqual({ code: ill.code, stderr: ill.stderr }, { code: 0, stderr: '' })
  t.regex(ill.stdout, /^agents +2 alive, 2 dead$/m)
  t.regex(ill.stdout, new RegExp(`^${victim.pid} \\(dead\\) +1 +12\\.0 KiB +${lost}$`, 'm'))
  t.is(
    ill.stdout.trimEnd().split('\n').slice(-2).join('\n'),
    `note: the next process that joins sweeps 2 dead agents and 1 object with 12.0 KiB (${lost}); to do it now: crossmem gc --domain ${domain}\nclean`,
  )
  const diagnosis = await json<Diagnosis>('doctor')
  t.is(diagnosis.code, 0)
  t.true(diagnosis.data.clean)
  t.deepEqual(diagnosis.data.problems, [])
  t.deepEqual(diagnosis.data.sweepable, { agents: 2, objects: 1, bytes: 12_288 })
  t.deepEqual(
    diagnosis.data.notes.map(({ code }) => code),
    ['LEFTOVERS'],
  )
  t.deepEqual(
    diagnosis.data.agents.filter(agent => !agent.alive).map(agent => agent.pid),
    [victim.pid, alsoVictim.pid],
  )

  t.deepEqual(await crossmem('gc'), {
    code: 0,
    stdout: `freed 2 dead agents, 1 object with 12.0 KiB: ${lost}\n`,
    stderr: '',
  })
  await isClean(t)
  t.deepEqual((await json('gc')).data, { domain, group: null, agents: 0, objects: 0, bytes: 0, names: [] })
  t.like((await json('ls')).data, { objects: [{ name: kept }, { name: shared }] })

  await kill(bystander)
  t.deepEqual(await json('gc'), {
    code: 0,
    data: { domain, group: null, agents: 1, objects: 1, bytes: 100, names: [kept] },
  })
  await survivor.leave()
})

test('many leftovers are counted, not all named', async t => {
  const names = Array.from({ length: 8 }, (_, i) => unique(`left-${i}`))
  const persisting = unique('persisting')
  const holders = await Promise.all(names.map(name => hold(name, { byteLength: 1 })))
  await leave(await hold(persisting, { byteLength: 1, persist: true }))
  await Promise.all(holders.map(kill))
  const { stdout } = await crossmem('doctor')
  t.regex(stdout, /sweeps 8 dead agents and 8 objects with 8 B \(left-[^)]* and 2 more\); /)
  const { data } = await json<{ names: string[] }>('gc')
  t.deepEqual(data.names, names)
  t.is((await crossmem('rm', persisting)).code, 0)
})
