import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { domain, hold, isClean, leaveNothing, test } from '../contracts/command.js'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'
import { kill } from '../processes/children.js'
import { crossmem, type Diagnosis, errorsIn, json, type Listed, main } from '../processes/command.js'

leaveNothing()

test('help and version go to stdout', async t => {
  for (const args of [['--help'], ['-h']]) {
    const { code, stdout, stderr } = await crossmem(...args)
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    t.regex(stdout, /^Usage: crossmem COMMAND/)
    for (const told of [
      'ls',
      'inspect NAME',
      'top',
      'rm NAME...',
      'gc',
      'doctor',
      '--domain NAME',
      '--json',
      'Exit codes',
    ])
      t.true(stdout.includes(told), told)
  }
  for (const command of ['ls', 'inspect', 'top', 'rm', 'gc', 'doctor']) {
    for (const args of [
      [command, '--help'],
      ['-h', command],
    ]) {
      const { code, stdout } = await crossmem(...args)
      t.is(code, 0)
      t.true(stdout.startsWith(`Usage: crossmem ${command}`), stdout)
      t.regex(stdout, /--json: \{ domain/)
      t.regex(stdout, /Exit codes/)
    }
  }
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  t.is((await crossmem('--version')).stdout, `${manifest.version}\n`)
})

test('wrong usage is exit code 2, and the message says why', async t => {
  const wrong: [string[], RegExp][] = [
    [[], /a command is missing/],
    [['list'], /no command "list"/],
    [['toString'], /no command "toString"/],
    [['list', '--help'], /no command "list"/],
    [['ls', 'a'], /ls takes no names/],
    [['gc', 'a'], /gc takes no names/],
    [['doctor', 'a'], /doctor takes no names/],
    [['inspect'], /inspect needs a NAME/],
    [['inspect', 'a', 'b'], /inspect takes one NAME/],
    [['rm'], /rm needs a NAME/],
    [['ls', '--alle'], /'--alle'/],
    [['ls', '--head'], /ls takes no --head/],
    [['rm', 'a', '--all'], /rm takes no --all/],
    [['ls', '--all', '--domain', 'a'], /leave --domain out/],
    [['ls', '--json=yes'], /--json/],
    [['ls', '--domain'], /--domain/],
    [['ls', '--domain='], /--domain needs a name/],
    [['ls', '--group='], /--group needs a name or a number/],
  ]
  for (const [args, reason] of wrong) {
    const ran = await crossmem(...args)
    t.deepEqual({ code: ran.code, stdout: ran.stdout }, { code: 2, stdout: '' }, args.join(' '))
    t.regex(ran.stderr, reason)
    t.regex(ran.stderr, /^crossmem: .* \(ERR_USAGE\)\nSee: crossmem --help\n$/s)
  }
  const ran = await crossmem('list', '--json')
  t.is(ran.code, 2)
  t.deepEqual(errorsIn(ran), [{ code: 'ERR_USAGE', message: 'there is no command "list"' }])
})

test('an empty domain is fine, and asking leaves no trace of it', async t => {
  t.deepEqual(await crossmem('ls'), { code: 0, stdout: `no objects in domain "${domain}"\n`, stderr: '' })
  t.deepEqual(await json('ls'), { code: 0, data: { domain, group: null, objects: [] } })
  t.deepEqual(await crossmem('gc'), {
    code: 0,
    stdout: `nothing to sweep in domain "${domain}"\n`,
    stderr: '',
  })
  t.deepEqual(await json('gc'), {
    code: 0,
    data: { domain, group: null, agents: 0, objects: 0, bytes: 0, names: [] },
  })
  await isClean(t)
  const { code, data } = await json<Diagnosis & { totalBytes: number; freeBytes: number }>('doctor')
  t.is(code, 0)
  t.true(data.totalBytes >= data.freeBytes && data.freeBytes > 0)
  t.like(data, {
    domain,
    control: null,
    registryHeldBy: null,
    agents: [],
    objects: [],
    sweepable: { agents: 0, objects: 0, bytes: 0 },
    problems: [],
    clean: true,
  })
})

test('a missing name is exit code 1', async t => {
  const name = unique('nothing')
  const inspected = await crossmem('inspect', name)
  t.deepEqual({ code: inspected.code, stdout: inspected.stdout }, { code: 1, stdout: '' })
  t.regex(inspected.stderr, /^crossmem: nothing is called "nothing-.* \(ERR_NOT_FOUND\)\n$/)
  const asJson = await crossmem('inspect', name, '--json')
  t.is(asJson.code, 1)
  t.is(errorsIn(asJson)[0]?.code, 'ERR_NOT_FOUND')

  const removed = await crossmem('rm', name)
  t.is(removed.code, 1)
  t.regex(removed.stderr, /^crossmem: nothing is called "nothing-.* \(ERR_NOT_FOUND\)\n$/)
})

test('names and domains that cannot be are exit code 1', async t => {
  for (const args of [
    ['inspect', 'a/b'],
    ['rm', 'a/b'],
    ['ls', '--domain', 'a/b'],
    ['doctor', '--domain', 'a b'],
  ]) {
    const ran = await crossmem(...args)
    t.is(ran.code, 1)
    t.regex(ran.stderr, /\(ERR_INVALID_NAME\)/)
    t.is(errorsIn(await crossmem(...args, '--json'))[0]?.code, 'ERR_INVALID_NAME')
  }
})

test('--domain wins over CROSSMEM_DOMAIN', async t => {
  const name = unique('elsewhere')
  const elsewhere = unique('domain')
  const holder = await hold(name, { shape: [3] }, { CROSSMEM_DOMAIN: elsewhere })
  t.is(process.env.CROSSMEM_DOMAIN, domain)

  t.deepEqual((await json('ls')).data, { domain, group: null, objects: [] })
  const { data } = await json<{ domain: string; objects: Listed[] }>('--domain', elsewhere, 'ls')
  t.is(data.domain, elsewhere)
  t.deepEqual(
    data.objects.map(object => object.name),
    [name],
  )
  t.like((await json('inspect', name, `--domain=${elsewhere}`)).data, { foreign: false })
  if (process.platform === 'linux')
    t.like((await json('inspect', name)).data, { foreign: true, array: { shape: [3], trailer: true } })

  await kill(holder)
  const { stdout } = await crossmem('doctor', '--domain', elsewhere)
  t.true(stdout.endsWith(`: crossmem gc --domain ${elsewhere}\nclean\n`), stdout)
  t.like((await json('gc', '--domain', elsewhere)).data, { domain: elsewhere, names: [name] })
  t.is((await json<Diagnosis>('doctor', '--domain', elsewhere)).data.control, null)
})

test('a reader of the output may stop reading', async t => {
  for (const args of [['ls'], ['doctor', '--json'], ['--help'], ['nonsense']]) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    const errors = text(child.stderr)
    const [code] = await once(child, 'close')
    t.is(code, args[0] === 'nonsense' ? 2 : 0)
    t.notRegex(await errors, /EPIPE|node:/)
  }
  const deaf = spawn(process.execPath, [main, 'nonsense'], { stdio: ['ignore', 'ignore', 'pipe'] })
  deaf.stderr.destroy()
  t.is((await once(deaf, 'close'))[0], 2)
})
