// Several users share memory on purpose: in a domain of a group, or by the mode and the group of
// plain memory. The users are real ones, as whom only root can start programs.
import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import ava, { type ExecutionContext } from 'ava'
import { unique } from '../helpers/domain.js'
import { pythonTest } from '../helpers/python.js'
import { type Account, runAs } from '../processes/children.js'
import { type Diagnosis, main } from '../processes/command.js'
import { type Distant, type Peer, startPeer } from '../processes/peers.js'

// Each test starts some processes.
const test = ava.serial

const domain = process.env.CROSSMEM_DOMAIN as string
const canSwitchUsers =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('setpriv', ['--reuid=61001', '--regid=61001', '--groups=61009', 'true']).status === 0

/** A group of its own for each test, since all domains of a group share a directory. */
class Team {
  readonly gid = randomInt(1_100_000_000, 2_000_000_000)
  readonly directory = `/dev/shm/.crossmem-g${this.gid}`
  readonly #t: ExecutionContext

  constructor(t: ExecutionContext) {
    this.#t = t
    t.teardown(() => rmSync(this.directory, { recursive: true, force: true }))
  }

  account(uid: number, isMember = true): Account {
    return { uid, groups: isMember ? [this.gid] : [], env: { CROSSMEM_GROUP: String(this.gid) } }
  }

  member(uid: number): Promise<Peer> {
    return startPeer(this.#t, 'process', this.account(uid))
  }

  stranger(uid: number): Promise<Peer> {
    return startPeer(this.#t, 'process', this.account(uid, false))
  }

  /** Runs the command line as a member. */
  run(uid: number, ...args: string[]): { stdout: string; stderr: string } {
    return command(this.account(uid), process.execPath, main, ...args)
  }

  /** The names in the directory of the group. */
  files(): string[] {
    return readdirSync(this.directory)
  }
}

function command(account: Account, ...words: string[]): { stdout: string; stderr: string } {
  const [program, ...options] = runAs(account)
  const env = { ...process.env, ...account.env }
  return spawnSync(program, [...options, ...words], { encoding: 'utf8', env })
}

const [ALICE, BOB, CAROL] = [61_001, 61_002, 61_003] as const

/** Both ways round: who makes what the other one opens. */
function eachWay(title: string, run: (t: ExecutionContext, first: number, second: number) => Promise<void>) {
  test(`${title} (the one way round)`, t => run(t, ALICE, BOB))
  test(`${title} (the other way round)`, t => run(t, BOB, ALICE))
}

const create = (peer: Peer, kind: string, ...args: unknown[]): Promise<Distant> =>
  peer.it(`crossmem.${kind}`).take('create', ...args)

if (canSwitchUsers) {
  eachWay('two members of a group use objects of every kind together', async (t, first, second) => {
    const team = new Team(t)
    const [a, b] = [await team.member(first), await team.member(second)]
    await a.it('process').do('umask', 0o077)
    const reach = (name: string): Promise<Distant> => b.open(name)

    await create(a, 'SharedMemory', 'bytes', 100)
    t.is(await (await reach('bytes')).do('byteLength'), 100)

    const array = await create(a, 'NDArray', 'array', { shape: [3], dtype: 'int32' })
    t.deepEqual(Object.values(await (await reach('array')).do<object>('snapshot')), [0, 0, 0])
    t.is(await array.do('persist'), false)

    const value = await create(a, 'Value', 'value', 'int32', 5)
    t.is(await (await reach('value')).do('add', 1), 5)
    t.is(await value.do('value'), 6)

    for (const kind of ['Mutex', 'RLock'] as const) {
      const mine = await create(a, kind, kind)
      const guard = await mine.take('lock')
      const { result } = await (await reach(kind)).begin<Distant>('lock')
      await guard.do('release')
      t.false((await result).ownerDied)
    }

    const event = await create(a, 'Event', 'event')
    const { result: told } = await (await reach('event')).begin('wait')
    await event.do('set')
    await told

    const semaphore = await create(a, 'Semaphore', 'semaphore', 1)
    await (await reach('semaphore')).take('acquire')
    t.is(await semaphore.do('tryAcquire'), undefined)

    const rwLock = await create(a, 'RwLock', 'rw')
    await rwLock.take('read')
    await (await reach('rw')).take('read')

    const barrier = await create(a, 'Barrier', 'barrier', 2)
    const { result: met } = await barrier.begin<number>('wait')
    await (await reach('barrier')).do('wait')
    await met

    const queue = await create(a, 'Queue', 'queue', { capacity: 4, messageBytes: 64 })
    const there = await reach('queue')
    await queue.do('put', { small: 1 })
    await queue.do('put', 'x'.repeat(10_000))
    t.deepEqual(await there.do('get'), { small: 1 })
    t.is((await there.do<string>('get')).length, 10_000)
    await there.do('put', 'y'.repeat(10_000))
    t.is((await queue.do<string>('get')).length, 10_000)

    await create(a, 'SpscQueue', 'ring')
    const producer = await a.it('crossmem.SpscQueue').take('openProducer', 'ring')
    const consumer = await b.it('crossmem.SpscQueue').take('openConsumer', 'ring')
    await producer.do('push', Uint8Array.of(1, 2))
    t.deepEqual(await consumer.do('pop'), Uint8Array.of(1, 2))
    t.false(await a.it('deeds').do<boolean>('holdNamed', 'named'))

    for (const kind of ['+', '~f'])
      t.true(
        team.files().some(name => name.includes(kind)),
        kind,
      )
    for (const name of team.files()) {
      const { mode, gid } = statSync(`${team.directory}/${name}`)
      t.deepEqual([name, mode & 0o7777, gid], [name, 0o660, team.gid])
    }
  })

  eachWay(
    'a killed process leaves locks, objects and names to a user other than its own',
    async (t, first, second) => {
      const team = new Team(t)
      const [victim, survivor] = [await team.member(first), await team.member(second)]
      const [mutex, kept] = [await create(victim, 'Mutex', 'mutex'), await create(victim, 'Queue', 'kept')]
      await create(victim, 'NDArray', 'left', { shape: [1000] })
      await kept.do('put', 'z'.repeat(10_000))
      await mutex.take('lock')
      t.false(await victim.it('deeds').do<boolean>('holdNamed', 'named'))
      const there = await survivor.open('mutex')
      const { result: lock } = await there.begin<Distant>('lock')
      const { result: named } = await survivor.it('deeds').begin<boolean>('holdNamed', 'named')
      await victim.kill()
      t.true((await lock).ownerDied)
      t.true(await named)
      // The names that a process of another user left are free again.
      const crossmem = survivor.it('crossmem')
      t.deepEqual(await crossmem.do('gc').then(swept => (swept as { objects: number }).objects), 2)
      for (const name of ['left', 'kept']) {
        await t.throwsAsync(survivor.open(name), { code: 'ERR_NOT_FOUND' } as object)
        await create(survivor, 'SharedMemory', name, 8)
      }
      t.deepEqual(
        team
          .files()
          .filter(name => !name.startsWith('.') && !name.startsWith('crossmem-locks-'))
          .sort(),
        ['kept', 'left', 'mutex'],
      )
    },
  )

  eachWay('large messages of a killed user are read, and go with their queue', async (t, first, second) => {
    const team = new Team(t)
    const [victim, survivor] = [await team.member(first), await team.member(second)]
    const arenas = (): string[] => team.files().filter(name => name.includes('+'))
    const large = (byte: number): Uint8Array => new Uint8Array(100_000).fill(byte)
    const options = { capacity: 4, messageBytes: 64 }

    const mine = await create(victim, 'MpmcQueue', 'shared', options)
    const theirs = await survivor.open('shared')
    for (const [writer, reader] of [
      [mine, theirs],
      [theirs, mine],
    ] as const) {
      await writer.do('push', large(1))
      t.deepEqual(await reader.do('pop'), large(1))
    }
    const [arena] = arenas()
    const { mode, gid, uid, blocks } = statSync(`${team.directory}/${arena}`)
    t.deepEqual([mode & 0o7777, gid, uid, blocks], [0o660, team.gid, first, 0])

    await mine.do('push', large(2))
    const alone = await create(victim, 'MpmcQueue', 'alone', options)
    await alone.do('push', large(3))
    t.is(arenas().length, 2)
    await victim.kill()
    await survivor.it('crossmem').do('gc')
    t.deepEqual(arenas(), [arena], 'the queue that only the killed process had is gone')
    t.deepEqual(await theirs.do('pop'), large(2))
    await theirs.do('push', large(4))
    t.deepEqual(await theirs.do('pop'), large(4))
    await theirs.do('close')
    t.deepEqual(arenas(), [], 'the last user of a queue removes what another user made')
    await create(survivor, 'MpmcQueue', 'shared', options)
  })

  test('large messages are for those who may use their queue', async t => {
    const team = new Team(t)
    const [a, b] = [await team.member(ALICE), await team.member(BOB)]
    const secret = await create(a, 'Queue', 'secret', { mode: 0o600, capacity: 4, messageBytes: 64 })
    await secret.do('put', 'x'.repeat(10_000))
    const [arena] = team.files().filter(name => name.includes('+'))
    const { stderr } = command(team.account(BOB), 'cat', `${team.directory}/${arena}`)
    t.regex(stderr, /Permission denied/)
    await t.throwsAsync(b.open('secret'), { code: 'ERR_PERMISSION' } as object)
    await a.kill()
    await b.it('crossmem').do('gc')
    t.deepEqual(
      team.files().filter(name => name.includes('+')),
      [],
    )
  })

  eachWay(
    'a domain ends with its last agent, whichever user it is, and begins again',
    async (t, first, second) => {
      const team = new Team(t)
      for (const [founder, last] of [
        [first, second],
        [second, first],
      ] as const) {
        const [a, b] = [await team.member(founder), await team.member(last)]
        await create(a, 'Mutex', 'mutex')
        await b.open('mutex')
        await a.hired.leave()
        t.true(team.files().includes('mutex'))
        await b.hired.leave()
        // /dev/shm lets only the directory's owner, and root, remove the directory itself.
        t.deepEqual(existsSync(team.directory) ? team.files() : [], [])
      }
    },
  )

  eachWay('a domain whose processes were all killed is swept by the next user', async (t, first, second) => {
    const team = new Team(t)
    const victim = await team.member(first)
    await create(victim, 'SharedMemory', 'left', 100)
    await create(victim, 'SharedMemory', 'lasting', 100, { persist: true })
    await victim.kill()
    const { objects } = JSON.parse(team.run(second, 'ls', '--json').stdout) as { objects: object[] }
    t.is(objects.length, 2)
    t.regex(team.run(second, 'gc').stdout, /freed 1 dead agent, 1 object .*: left/)
    t.is(team.run(second, 'rm', 'lasting').stdout, 'removed lasting\n')
    t.deepEqual(existsSync(team.directory) ? team.files() : [], [])
  })

  test('three users take one lock over from each other', async t => {
    const team = new Team(t)
    const peers = await Promise.all([ALICE, BOB, CAROL].map(uid => team.member(uid)))
    const [a, b, c] = peers as [Peer, Peer, Peer]
    await create(a, 'Mutex', 'mutex', { persist: true })
    for (const [holder, next] of [
      [a, b],
      [b, c],
    ] as const) {
      await (await holder.open('mutex')).do('lock')
      const { result } = await (await next.open('mutex')).begin<Distant>('lock')
      await holder.kill()
      const guard = await result
      t.true(guard.ownerDied)
      await guard.do('markConsistent')
      await guard.do('release')
    }
    t.regex(team.run(ALICE, 'doctor').stdout, new RegExp(`^group +${team.gid}$`, 'm'))
  })

  test('a user who is not in the group is refused, and told what to do', async t => {
    const team = new Team(t)
    const refused = async (): Promise<void> => {
      const stranger = await team.stranger(CAROL)
      const { code, message } = await create(stranger, 'Mutex', 'mutex').then(
        () => ({ code: 'none', message: '' }),
        error => error as { code: string; message: string },
      )
      t.is(code, 'ERR_PERMISSION')
      for (const word of ['user 61003', `group ${team.gid}`, 'usermod -aG', 'newgrp'])
        t.true(message.includes(word), message)
    }
    await refused()
    t.false(existsSync(team.directory), 'the attempt leaves nothing')
    const member = await team.member(ALICE)
    await create(member, 'Mutex', 'mutex')
    await refused()
    const { stderr } = command(team.account(CAROL, false), process.execPath, main, 'ls')
    t.regex(stderr, /61003 and is not in the group .*ERR_PERMISSION/)
    const { stdout } = command(
      { ...team.account(CAROL, false), env: { CROSSMEM_GROUP: '61099' } },
      process.execPath,
      main,
      'doctor',
      '--json',
    )
    const { problems } = JSON.parse(stdout) as Diagnosis
    t.deepEqual(
      problems.map(({ code }) => code),
      ['UNUSABLE'],
    )
  })

  const squats: Record<string, (directory: string, gid: number) => void> = {
    'a directory that all may write to': directory => {
      mkdirSync(directory)
      chmodSync(directory, 0o777)
      chownSync(directory, CAROL, CAROL)
    },
    'a directory of the right mode and another group': directory => {
      mkdirSync(directory)
      chownSync(directory, CAROL, CAROL)
      chmodSync(directory, 0o2770)
    },
    'a symbolic link to a directory': directory => {
      symlinkSync('/tmp', directory)
    },
    'a file': directory => {
      command({ uid: CAROL, groups: [] }, 'touch', directory)
    },
  }
  for (const [what, squat] of Object.entries(squats)) {
    test(`${what} under the name of the group's directory keeps the members from nothing`, async t => {
      const team = new Team(t)
      squat(team.directory, team.gid)
      t.teardown(() => rmSync(`${team.directory}~1`, { recursive: true, force: true }))
      const [a, b] = [await team.member(ALICE), await team.member(BOB)]
      const value = await create(a, 'Value', 'value', 'int32')
      await (await b.open('value')).do('add', 2)
      t.is(await value.do('value'), 2)
      const diagnosis = JSON.parse(team.run(BOB, 'doctor', '--json').stdout) as Diagnosis & {
        taken: { path: string }[]
      }
      t.true(diagnosis.control?.name.startsWith(`.crossmem-g${team.gid}~1/`))
      t.deepEqual(
        diagnosis.taken.map(({ path }) => path),
        [team.directory],
      )
      t.true(diagnosis.clean)
    })
  }

  test('the mode of an object keeps other members of the group from it, but not from its name', async t => {
    const team = new Team(t)
    const [a, b] = [await team.member(ALICE), await team.member(BOB)]
    await create(a, 'Mutex', 'secret', { mode: 0o600 })
    const { code, message } = await b.open('secret').then(
      () => ({ code: 'none', message: '' }),
      error => error as { code: string; message: string },
    )
    t.is(code, 'ERR_PERMISSION')
    t.regex(
      message,
      /secret belongs to user 61001 and group \d+ with mode 0600, and this process runs as user 61002; its maker/,
    )
    t.is(team.run(BOB, 'rm', 'secret').stdout, 'removed secret\n')
    const failed = await create(b, 'Mutex', 'mutex', { mode: 0o640 }).catch(
      error => error as { code: string },
    )
    t.is((failed as { code: string }).code, 'ERR_INVALID_ARG')
    const foreign = await create(b, 'Mutex', 'mutex', { group: 61_099 }).catch(
      error => error as { code: string },
    )
    t.is((foreign as { code: string }).code, 'ERR_PERMISSION')
  })

  eachWay(
    'memory of one user with a mode and a group is memory to the group, and to no other user',
    async (t, first, second) => {
      const gid = randomInt(1_100_000_000, 2_000_000_000)
      const name = unique('lent')
      const [owner, member, stranger] = [
        await startPeer(t, 'process', { uid: first, groups: [gid] }),
        await startPeer(t, 'process', { uid: second, groups: [gid] }),
        await startPeer(t, 'process', { uid: CAROL, groups: [] }),
      ]
      await create(owner, 'SharedMemory', name, 10, { mode: 0o660, group: gid })
      const lent = await member.it('crossmem.SharedMemory').take('open', name)
      t.is(await lent.do('byteLength'), 10)
      const { code, message } = await stranger.open(name).then(
        () => ({ code: 'none', message: '' }),
        error => error as { code: string; message: string },
      )
      t.is(code, 'ERR_PERMISSION')
      t.regex(
        message,
        new RegExp(`user ${first} and group ${gid} with mode 0660, .* user 61003; .*CROSSMEM_GROUP`),
      )
      const kept = await lent.do('unlink').catch(error => error as { code: string; message: string })
      t.regex((kept as { message: string }).message, /only its owner or root may remove it/)
      const { code: refused } = (await create(owner, 'Mutex', null, { group: gid }).catch(
        error => error,
      )) as { code: string }
      t.is(refused, 'ERR_INVALID_ARG')
    },
  )

  test('a group has a name or a number, and an unknown one is refused', async t => {
    for (const group of ['no such group', '-1', '4294967295']) {
      const { stderr } = command(
        { uid: ALICE, groups: [], env: { CROSSMEM_GROUP: group } },
        process.execPath,
        main,
        'ls',
      )
      t.regex(stderr, /\(ERR_INVALID_ARG\)/, group)
    }
    const { stdout } = command(
      { uid: ALICE, groups: [0], env: { CROSSMEM_GROUP: 'root' } },
      process.execPath,
      main,
      'ls',
    )
    t.is(stdout, `no objects in domain "${domain}" of group root (0)\n`)
  })

  pythonTest("NumPy opens an array of a group's domain by its path", async t => {
    const { python } = await import('../helpers/python.js')
    const team = new Team(t)
    const member = await team.member(ALICE)
    const array = await create(member, 'NDArray', 'array', { shape: [2], dtype: 'int32' })
    const script = `import numpy; numpy.load('${team.directory}/array', mmap_mode='r+')[1] = 7`
    const { stderr } = command(team.account(BOB), (python() as { path: string }).path, '-c', script)
    t.is(stderr, '')
    t.deepEqual(Object.values(await array.do<object>('snapshot')), [0, 7])
  })
} else {
  test.skip('several users share memory on purpose (skipped: only root can start programs of other users)', () =>
    undefined)
}

const namespace = ['--user', '--map-root-user']
if (canSwitchUsers && command({ uid: ALICE, groups: [] }, 'unshare', ...namespace, 'true').stderr === '') {
  test('a group that the user namespace does not have is refused in words', t => {
    const account = { uid: ALICE, groups: [], env: { CROSSMEM_GROUP: '65534' } }
    const { stderr } = command(account, 'unshare', ...namespace, process.execPath, main, 'ls')
    t.regex(stderr, /group id 65534 stands for no group outside this user namespace .*ERR_INVALID_ARG/)
  })
} else {
  test.skip('a group that the user namespace does not have is refused (skipped: no user namespace to be had)', () =>
    undefined)
}
