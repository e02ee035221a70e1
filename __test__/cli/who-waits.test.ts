import { isClean, leaveNothing, test, track } from '../contracts/command.js'
import { gone, kill, message, start } from '../processes/children.js'
import { type Agent, crossmem, json } from '../processes/command.js'
import { schema } from '../processes/schema.js'

leaveNothing()

interface Seen {
  name: string
  kind: string
  state: Record<string, unknown>
  holders: (Agent & { holds: string; count: number })[]
  waiters: (Agent & { waitsFor: string; count: number })[]
}

/** The objects of the domain, as soon as so many of them have waiters. */
async function seenWith(waitedFor: number): Promise<Seen[]> {
  for (;;) {
    const { data } = await json<{ objects: Seen[] }>('ls')
    if (data.objects.filter(({ waiters }) => waiters.length > 0).length >= waitedFor) return data.objects
  }
}

test('ls, inspect and top show each kind, who holds it and who waits for what; as documented', async t => {
  const owner = track(start('cli/use-everything', 'own'))
  await message(owner)
  const waiter = track(start('cli/use-everything', 'wait'))
  await message(waiter)
  // The barrier is one of them: the owner waits there.
  const objects = await seenWith(11)
  const one = (name: string) => objects.find(object => object.name === name) as Seen
  const held = (name: string) => one(name).holders.map(({ pid, holds, count }) => [pid, holds, count])
  const waits = (name: string) => one(name).waiters.map(({ pid, waitsFor }) => [pid, waitsFor])
  const [mine, theirs] = [owner.pid, waiter.pid]

  t.deepEqual([held('mutex'), waits('mutex')], [[[mine, 'lock', 1]], [[theirs, 'lock']]])
  t.deepEqual(
    [held('rwlock'), waits('rwlock')],
    [
      [
        [theirs, 'gate', 1],
        [mine, 'read lock', 1],
      ],
      [[theirs, 'last reader']],
    ],
  )
  t.deepEqual([held('semaphore'), waits('semaphore')], [[[mine, 'permit', 1]], [[theirs, 'permit']]])
  t.deepEqual(one('semaphore').state, { permits: 0, max: 2 ** 31 - 1 })
  t.deepEqual([held('event'), waits('event')], [[], [[theirs, 'event']]])
  t.deepEqual(one('event').state, { isSet: false, timesSet: 1 })
  t.deepEqual(waits('condition'), [[theirs, 'notification']])
  t.deepEqual([held('array'), waits('array')], [[[mine, 'lock', 1]], [[theirs, 'lock']]])
  t.deepEqual([held('jobs'), waits('jobs')], [[[mine, 'message to read', 1]], [[theirs, 'finish']]])
  t.like(one('jobs').state, { size: 1, capacity: 3, unfinished: 2, failed: 0, puts: 2 })
  t.deepEqual(waits('raw'), [[theirs, 'message']])
  t.deepEqual(waits('queue'), [[theirs, 'room']])
  t.like(one('queue').state, { size: 2, capacity: 2, puts: 2, gets: 0, isEnded: false })
  t.deepEqual([held('barrier'), waits('barrier')], [[[mine, 'arrival', 1]], [[mine, 'meeting']]])
  t.like(one('barrier').state, { parties: 2, waiting: 1, isBroken: false })
  t.deepEqual(one('value').state, { dtype: 'int64', length: 1, value: String(2n ** 60n), ownerDied: false })
  t.like(one('nan').state, { value: 'NaN' })
  const named = objects.find(({ kind }) => kind === 'LockManager') as Seen
  t.like((await json('inspect', named.name)).data, {
    locks: [
      {
        name: 'printer \x1b[2J',
        holders: [{ pid: mine, mode: 'exclusive' }],
        waiters: [{ pid: theirs, mode: 'exclusive' }],
      },
      { name: 'paper', holders: [{ pid: mine, mode: 'shared' }], waiters: [] },
    ],
  })

  // What people see.
  const ls = (await crossmem('ls')).stdout
  t.regex(ls, new RegExp(`^mutex +Mutex +200 B +held by ${mine} +${theirs} for lock `, 'm'))
  t.regex(ls, new RegExp(`^queue +Queue .* 2 of 2 +${theirs} for room `, 'm'))
  t.regex(ls, /^\\u\{202e\}right to left /m)
  const locks = (await crossmem('inspect', named.name)).stdout
  t.regex(locks, new RegExp(`^printer \\\\u\\{1b\\}\\[2J +exclusive +${mine} +${theirs}$`, 'm'))
  t.regex(
    (await crossmem('top')).stdout,
    new RegExp(`^mutex +Mutex +held +- +${mine}.* +${theirs} for lock`, 'm'),
  )
  t.regex(
    (await crossmem('inspect', 'array', '--head', '--plot')).stdout,
    /^0 1 2 .* 19 … 80 more\n▁+.*█+\n0 to 99\n$/m,
  )
  t.regex((await crossmem('inspect', 'grid', '--plot')).stdout, /^3 to 3 +█+ 20$/m)

  // What programs see.
  const outputs: [type: string, ...args: string[]][] = [
    ['Ls', 'ls'],
    ['LsAll', 'ls', '--all'],
    ['Top', 'top', '--interval', '0.01'],
    ['Doctor', 'doctor'],
    ['Inspect', 'inspect', 'array', '--head', '--plot'],
    ['Inspect', 'inspect', 'grid', '--plot'],
    ['Inspect', 'inspect', 'nan', '--head'],
    ...objects.map(({ name }): [string, ...string[]] => ['Inspect', 'inspect', name]),
    ['Rm', 'rm', 'bytes', 'nothing'],
  ]
  const printed: { type: string; value: unknown }[] = []
  for (const [type, ...args] of outputs) printed.push({ type, value: (await json(...args)).data })

  await kill(waiter)
  await kill(owner)
  t.regex((await crossmem('ls')).stdout, new RegExp(`^mutex .* held by ${mine} \\(dead\\) `, 'm'))
  printed.push({ type: 'Doctor', value: (await json('doctor')).data })
  printed.push({ type: 'Gc', value: (await json('gc')).data })
  t.deepEqual(schema(printed), [])
  t.deepEqual(schema([{ type: 'Gc', value: { ...(await json('gc')).data, more: 1 } }]).length, 1)
})

test('doctor notes processes that wait for each other', async t => {
  const [a, b] = [start('cli/cross-locks', 'a', 'b'), start('cli/cross-locks', 'b', 'a')].map(track)
  if (!a || !b) return t.fail()
  await Promise.all([message(a), message(b)])
  a.send('go')
  await seenWith(1)
  t.notRegex((await crossmem('doctor')).stdout, /wait for each other/)
  b.send('go')
  await seenWith(2)
  const { stdout, code } = await crossmem('doctor')
  const [circle] = /^note: these wait for each other: .*$/m.exec(stdout) ?? ['']
  t.true(circle.includes(`${a.pid} waits for "b" of ${b.pid}`), stdout)
  t.true(circle.includes(`${b.pid} waits for "a" of ${a.pid}`), stdout)
  t.true(circle.endsWith('; if none has a timeout, end one of them'), stdout)
  t.is(code, 0)
  a.disconnect()
  b.disconnect()
  await Promise.all([gone(a), gone(b)])
  await isClean(t)
})

test('looking at an object makes no process wait for ever for its last user', async t => {
  const owner = track(start('cli/use-everything', 'own'))
  await message(owner)
  const before = (await json<{ objects: { attached: Agent[] }[] }>('ls')).data.objects
  await json('top', '--interval', '0.01')
  const { data } = await json<{ objects: { attached: Agent[] }[]; agents: Agent[] }>('doctor')
  t.deepEqual(
    data.objects.map(({ attached }) => attached.length).sort(),
    before.map(({ attached }) => attached.length).sort(),
  )
  t.deepEqual(
    data.agents.map(({ pid }) => pid),
    [owner.pid as number],
  )
  await kill(owner)
  await crossmem('gc')
})
