import '../helpers/domain.js'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import ava, { type ExecutionContext } from 'ava'
import { activeChildren, CrossmemError, cpuCount, currentProcess, Process, parentProcess } from 'crossmem'
import { folder } from '../helpers/folder.js'
import { startTarget, targets } from '../processes/targets.js'

type Targets = typeof import('../fixtures/process/targets.js')

const test = ava.serial

/** Starts a process of which the test sees what it prints, and ends it with the test. */
function start(t: ExecutionContext, run: string | undefined, args: unknown[] = [], options = {}): Process {
  return startTarget(t, run, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
}

const errorsOf = (child: Process): Promise<string> => text(child.stderr as NonNullable<Process['stderr']>)

test('an export gets its arguments, and its result comes back', async t => {
  const args = [1, 'two', null, undefined, 3n, new Date(4), new Map([[5, new Set([6])]]), Float32Array.of(7)]
  const child = Process.start<Targets, 'echo'>(targets, { run: 'echo', args })
  t.true(child.isAlive)
  t.deepEqual([child.exitCode, child.signal], [null, null])
  t.deepEqual(await child.result, args)
  await child.join()
  t.false(child.isAlive)
  t.deepEqual([child.exitCode, child.signal], [0, null])
  await child.join({ timeout: 0 })
})

test('the default export is called unless another one is named', async t => {
  t.deepEqual(await start(t, undefined, [1, 2]).result, [1, 2])
  t.deepEqual(await start(t, 'default', [3]).result, [3])
})

test('modules of all kinds run, as the caller sees them', async t => {
  const path = folder(t)
  const write = (file: string, code: string): string => {
    mkdirSync(join(path, file, '..'), { recursive: true })
    writeFileSync(join(path, file), code)
    return join(path, file)
  }
  const esm = write('esm.mjs', 'export const run = (...args) => ["esm", ...args]; await 1')
  const cjs = write('cjs.cjs', 'exports.run = (...args) => ["cjs", ...args]')
  const hidden = write(
    'hidden.cjs',
    'const all = { run: (...args) => ["hidden", ...args] }; module.exports = all',
  )
  const callable = write('callable.cjs', 'module.exports = (...args) => ["callable", ...args]')
  const inPackage = '{ "name": "some-package", "exports": { "import": "./index.mjs" } }'
  write('node_modules/some-package/package.json', inPackage)
  write('node_modules/some-package/index.mjs', 'export const run = (...args) => ["package", ...args]')
  write(
    'lonely.mjs',
    'import { writeFileSync } from "node:fs"; writeFileSync(new URL("ran", import.meta.url), "")',
  )
  const result = (target: string | URL, run: string | undefined = 'run', args = [1]): Promise<unknown> =>
    Process.start(target, { run, args }).result
  t.deepEqual(await result(esm), ['esm', 1])
  t.deepEqual(await result(pathToFileURL(esm)), ['esm', 1])
  t.deepEqual(await result(pathToFileURL(esm).href), ['esm', 1])
  t.deepEqual(await result(cjs), ['cjs', 1])
  t.deepEqual(await result(hidden), ['hidden', 1])
  const module = await Process.start(callable, { args: [2] }).result
  t.deepEqual(module, ['callable', 2])
  t.is(await result('node:path', 'basename', ['a/b'] as never), 'b')

  const caller = write(
    'caller.mjs',
    `import { createRequire } from 'node:module'
     const { Process } = createRequire(${JSON.stringify(__filename)})('crossmem')
     export const relative = () => Process.start('./esm.mjs', { run: 'run', args: [3] }).result
     export const inPackage = () => Process.start('some-package', { run: 'run', args: [4] }).result
     export const alone = () => Process.start('./lonely.mjs').result`,
  )
  t.deepEqual(await result(caller, 'relative', []), ['esm', 3])
  t.deepEqual(await result(caller, 'inPackage', []), ['package', 4])
  t.is(await result(caller, 'alone', []), undefined)
  t.notThrows(() => writeFileSync(join(path, 'ran'), '', { flag: 'r+' }))
})

test('a loader in execArgv is used for the module', async t => {
  const path = folder(t)
  const hooks = `export const load = async (url, context, next) => url.endsWith('.upper')
    ? { format: 'module', shortCircuit: true, source: 'export const run = () => "loaded"' } : next(url, context)`
  writeFileSync(join(path, 'hooks.mjs'), hooks)
  const register = `import { register } from 'node:module'; register('./hooks.mjs', import.meta.url)`
  writeFileSync(join(path, 'register.mjs'), register)
  writeFileSync(join(path, 'module.upper'), '')
  const execArgv = ['--import', pathToFileURL(join(path, 'register.mjs')).href]
  const child = Process.start(join(path, 'module.upper'), { run: 'run', execArgv })
  t.is(await child.result, 'loaded')
})

test('a process knows itself and its parent', async t => {
  const cwd = folder(t)
  const options = { name: 'reader', env: { ...process.env, MARK: 'here' }, cwd, execArgv: ['--no-warnings'] }
  const child = start(t, 'descriptions', [], options)
  t.is(child.name, 'reader')
  t.deepEqual(await child.result, {
    name: 'reader',
    pid: child.pid,
    isDaemon: false,
    parent: { name: 'main', pid: process.pid, isAlive: true },
    program: 'child.js',
    argv: 2,
    domain: process.env.CROSSMEM_DOMAIN,
    mark: 'here',
    cwd,
    execArgv: ['--no-warnings'],
  })
  const { name, pid, isDaemon, signal } = currentProcess()
  t.deepEqual(
    [name, pid, isDaemon, signal.aborted, parentProcess()],
    ['main', process.pid, false, false, undefined],
  )
  t.true(cpuCount() >= 1)
})

test('processes without a name are numbered', async t => {
  const children = [start(t, 'echo'), start(t, 'echo', [], { name: 'named' }), start(t, 'echo')]
  const [first, , third] = children.map(({ name }) => Number(/^Process-(\d+)$/.exec(name)?.[1]))
  t.is(third, (first as number) + 1)
  await Promise.all(children.map(child => child.join()))
})

test('activeChildren has the processes that live', async t => {
  const one = start(t, 'hold', [])
  const other = start(t, 'echo', [])
  t.deepEqual(activeChildren(), [one, other])
  await Promise.all([one.join(), other.join()])
  t.deepEqual(activeChildren(), [])
})

test('what the function throws rejects the result, with the stack of the child', async t => {
  const child = start(t, 'fail', ['RangeError'])
  const printed = errorsOf(child)
  const error = await t.throwsAsync(child.result, { instanceOf: RangeError, message: 'on purpose' })
  t.true(error?.cause instanceof TypeError)
  t.regex(error?.stack ?? '', /at fail .*targets\.js/)
  await child.join()
  t.is(child.exitCode, 1)
  t.regex(await printed, new RegExp(`^Process ${child.name}:\n.*RangeError: on purpose\n +at fail`, 's'))
})

test('an error of crossmem stays one, and any value can be thrown', async t => {
  await t.throwsAsync(start(t, 'fail', ['CrossmemError']).result, {
    instanceOf: CrossmemError,
    code: 'ERR_NOT_FOUND',
  })
  await t.throwsAsync(start(t, 'fail', ['rejection']).result, { message: 'on purpose' })
  const thrown = await start(t, 'fail', ['text']).result.catch((reason: unknown) => ({ reason }))
  t.deepEqual(thrown, { reason: 'on purpose' })
  const stripped = await t.throwsAsync(start(t, 'fail', ['function']).result, { message: 'on purpose' })
  t.regex(stripped?.stack ?? '', /at fail /)
})

test('an uncaught error ends the process with 1, prints its name and rejects the result', async t => {
  const child = start(t, 'fail', ['later'], { name: 'writer' })
  const printed = errorsOf(child)
  await t.throwsAsync(child.result, { instanceOf: RangeError, message: 'on purpose' })
  await child.join()
  t.is(child.exitCode, 1)
  t.regex(await printed, /^Process writer:\n.*RangeError: on purpose/s)
})

test('a process that ends before the function has returned rejects the result', async t => {
  const left = start(t, 'fail', ['exit'], { name: 'leaver' })
  const expected = {
    code: 'ERR_PEER_DIED',
    message: /"leaver" \(\d+\) ended with exit code 3 before it had returned/,
  }
  await t.throwsAsync(left.result, expected)
  t.deepEqual([left.exitCode, left.signal], [3, null])
  const aborted = start(t, 'fail', ['abort'])
  await t.throwsAsync(aborted.result, { code: 'ERR_PEER_DIED', message: /was killed by SIGABRT/ })
  t.deepEqual([aborted.exitCode, aborted.signal], [null, 'SIGABRT'])
  const killed = start(t, 'echo')
  killed.kill()
  await t.throwsAsync(killed.result, {
    code: 'ERR_PEER_DIED',
    message: /killed by SIGKILL before it had opened/,
  })
})

test('a result that cannot be sent is an error that says why', async t => {
  const child = start(t, 'fail', ['unsendable'])
  const message = /^the result: value\.callback can't be sent: .*could not be cloned/
  await t.throwsAsync(child.result, { code: 'ERR_INVALID_ARG', message })
  await child.join()
  t.is(child.exitCode, 1)
})

test('large arguments and results arrive whole', async t => {
  const length = 10_000_000
  const [argument] = (await start(t, 'echo', [new Uint8Array(length).fill(5)]).result) as [Uint8Array]
  t.true(argument.length === length && argument.every(byte => byte === 5))
  const result = (await start(t, 'big', [length]).result) as Uint8Array
  t.true(result.length === length && result.every(byte => byte === 7))
})

test('what is wrong with the module is told by the result', async t => {
  const path = folder(t)
  writeFileSync(join(path, 'throws.mjs'), 'throw new RangeError("while loading")')
  writeFileSync(join(path, 'broken.mjs'), 'import "./missing.mjs"')
  writeFileSync(join(path, 'syntax.mjs'), 'let let')
  const failure = async (target: string, options = {}): Promise<unknown> => {
    const child = Process.start(target, { stdio: 'ignore', ...options })
    const error = await t.throwsAsync(child.result, { any: true })
    await child.join()
    return error
  }
  const named = async (target: string, options = {}) => {
    const { code, name, message } = (await failure(target, options)) as CrossmemError
    return [code ?? name, message]
  }
  t.deepEqual(await named('./no-such-module.js'), [
    'ERR_NOT_FOUND',
    `there is no module ./no-such-module.js: there is no ${join(__dirname, 'no-such-module.js')}`,
  ])
  const [code, message] = await named('no-such-package')
  t.is(code, 'ERR_NOT_FOUND')
  t.regex(String(message), /^there is no module no-such-package: it is not installed as seen from file:/)
  t.deepEqual(await named(join(path, 'throws.mjs')), ['RangeError', 'while loading'])
  t.is((await named(join(path, 'broken.mjs')))[0], 'ERR_MODULE_NOT_FOUND')
  t.is((await named(join(path, 'syntax.mjs')))[0], 'SyntaxError')
  const [, noExport] = await named(targets, { run: 'nothing' })
  t.regex(String(noExport), /targets\.js exports no function "nothing"; it exports: add, areOne, .*default, /)
  const [notFunction, why] = await named(targets, { run: 'notAFunction' })
  t.is(notFunction, 'ERR_INVALID_ARG')
  t.regex(String(why), /exports no function "notAFunction"/)
  writeFileSync(join(path, 'empty.mjs'), '')
  t.regex(
    String((await named(join(path, 'empty.mjs'), { args: [1] }))[1]),
    /has no default export that is a function/,
  )
})

test('a process that the system does not start is told by result and join', async t => {
  const child = start(t, 'echo', [], { cwd: '/no/such/directory' })
  const expected = { code: 'ERR_NOT_FOUND', message: /no directory \/no\/such\/directory, its "cwd"/ }
  await t.throwsAsync(child.result, expected)
  await t.throwsAsync(child.join(), expected)
  t.deepEqual([child.pid, child.isAlive, child.exitCode, child.signal], [undefined, false, null, null])
  child.terminate()
  t.deepEqual(activeChildren(), [])
})

test('bad input is refused before a process is started', t => {
  const refused = (target: unknown, options: unknown, message: RegExp): void => {
    t.throws(() => Process.start(target as string, options as object), { code: 'ERR_INVALID_ARG', message })
  }
  refused(() => undefined, {}, /^the first argument is a function: functions don't travel/)
  refused(7, {}, /^the first argument is a module: a URL, a path or the name of a package, not 7$/)
  refused('', {}, /^the first argument is a module/)
  refused(targets, { run: () => undefined }, /^run is a function: functions don't travel/)
  refused(targets, { run: 7 }, /^run is the name of an export, not 7$/)
  refused(targets, { args: 7 }, /^args is an array, not 7$/)
  refused(targets, { args: [() => undefined] }, /^args\[0\] can't be sent/)
  refused(targets, { args: [activeChildren, 1] }, /^args\[0\] can't be sent/)
  refused(targets, { execArgv: '--import' }, /^execArgv is an array/)
  refused(targets, { name: 7 }, /^name is a string, not 7$/)
  refused(targets, { daemon: 'yes' }, /^daemon is true or false, not 'yes'$/)
  refused(
    targets,
    { env: { CROSSMEM_DOMAIN: 'other' } },
    /^env has CROSSMEM_DOMAIN=other, but a child is in the domain/,
  )
  refused(targets, { stdio: 'nonsense' }, /^the process can't be started: /)
  refused(targets, { env: { A: '\0' } }, /^the process can't be started: /)
  t.throws(() => Reflect.construct(Process, []), { code: 'ERR_INVALID_ARG', message: /Process\.start/ })
  t.deepEqual(activeChildren(), [])
})

test('a process can not be sent', async t => {
  const child = start(t, 'echo')
  t.throws(() => start(t, 'echo', [child]), { code: 'ERR_INVALID_ARG', message: /args\[0\] can't be sent/ })
  t.throws(() => JSON.stringify(child), { code: 'ERR_INVALID_ARG' })
  await child.join()
})

test('the streams are those of child_process', async t => {
  const child = start(t, 'echo', [], {
    stdio: 'pipe',
    execArgv: ['--import', 'data:text/javascript,console.log(1)'],
  })
  t.is(await text(child.stdout as NonNullable<Process['stdout']>), '1\n')
  t.not(child.stdin, null)
  const bare = start(t, 'echo', [], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  t.deepEqual([bare.stdin, bare.stdout, bare.stderr], [null, null, null])
  t.deepEqual(await bare.result, [])
  await Promise.all([child.join(), bare.join()])
})
