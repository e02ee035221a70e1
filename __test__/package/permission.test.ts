import '../helpers/domain.js'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ava from 'ava'
import { NDArray } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { root } from '../helpers/paths.js'

const test = ava.serial
const run = promisify(execFile)
const [major = 0] = process.versions.node.split('.').map(Number)
const model = major < 22 ? '--experimental-permission' : '--permission'
const toLoad = [model, '--allow-addons', `--allow-fs-read=${root}/`]

/** Runs a program under Node's permission model, and returns what it prints. */
async function under(flags: string[], program: string): Promise<string> {
  const { stdout } = await run(process.execPath, [...toLoad, ...flags, '-e', program], { cwd: root })
  return stdout.trim()
}

test("under Node's permission model, shared memory and file locks need no more than loading", async t => {
  const program = `
    const { FileLock, list, Queue, SharedArray } = require('crossmem')
    const array = SharedArray.create(null, 'int32', [1, 2])
    array.update(data => data.reverse())
    const queue = Queue.create(null)
    queue.putSync('x'.repeat(100_000))
    FileLock.open(${JSON.stringify(join(root, 'package.json'))}).lockSync({ shared: true }).release()
    console.log(array.toArray().join(), queue.getSync().length, list().length)`
  t.is(await under([], program), '2,1 100000 2')
})

test("under Node's permission model, a worker thread has the flags of its process", async t => {
  const program = `
    const { Worker } = require('node:worker_threads')
    const worker = new Worker("require('node:worker_threads').parentPort.postMessage(require('crossmem').list().length)", { eval: true })
    worker.on('message', message => console.log(message))`
  t.is(await under(['--allow-worker'], program), '0')
})

test("under Node's permission model, arrays are saved and loaded where their folder is allowed", async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-permission-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'old.npy')
  using array = NDArray.from(unique('saved'), [1, 2, 3])
  await array.save(file)
  chmodSync(file, 0o640)
  const program = `
    const { NDArray } = require('crossmem')
    const array = NDArray.open(${JSON.stringify(array.name)})
    array.set(0, 5)
    async function main() {
      for (const name of ['old.npy', 'new.npy']) {
        await array.save(${JSON.stringify(folder)} + '/' + name)
        console.log((await NDArray.load(${JSON.stringify(folder)} + '/' + name)).data.join())
      }
    }
    main()`
  const flags = [`--allow-fs-read=${folder}/`, `--allow-fs-write=${folder}/`]
  t.is(await under(flags, program), '5,2,3\n5,2,3')
  t.is(statSync(file).mode & 0o777, 0o640)
})

test("under Node's permission model, a process is refused in words, and started where it is allowed", async t => {
  const program = (run: string) => `
    const { Process } = require('crossmem')
    const module = new URL('data:text/javascript,export const double = n => 2 * n')
    ${run}`
  const start = `Process.start(module, { run: 'double', args: [2] })`
  const refused = program(`try { ${start} } catch ({ code, message }) { console.log(code, message) }`)
  t.regex(await under([], refused), /^ERR_PERMISSION .*add --allow-child-process$/)
  const allowed = program(`${start}.result.then(result => console.log(result))`)
  t.is(await under(['--allow-child-process'], allowed), '4')
})
