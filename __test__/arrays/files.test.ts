import '../helpers/domain.js'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ava, { type ExecutionContext } from 'ava'
import { list, NDArray } from 'crossmem'
import { fixture } from '../helpers/paths.js'

const test = ava.serial
const isRoot = process.getuid?.() === 0

/** An empty directory that any user may change. */
function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'crossmem-'))
  chmodSync(path, 0o777)
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** Runs `act` as a user whose permissions count: root has them all. */
async function unprivileged<T>(act: () => Promise<T>): Promise<T> {
  if (!isRoot) return await act()
  process.seteuid?.(65_534)
  try {
    return await act()
  } finally {
    process.seteuid?.(0)
  }
}

async function holds(t: ExecutionContext, path: string, expected: unknown): Promise<void> {
  using array = await NDArray.load(path)
  t.deepEqual(array.toNested(), expected as never)
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8)

test('save keeps a symbolic link, and its target has the array', async t => {
  const at = folder(t)
  using array = NDArray.from(null, [1, 2, 3])
  mkdirSync(join(at, 'far/deep'), { recursive: true })
  symlinkSync('far/deep', join(at, 'by-way-of'))
  const links = {
    'to-file': 'file',
    'to-link': 'to-file',
    'to-nothing': 'made-by-save',
    // `..` counts from the directory that the link leads to.
    'by-way-of/up': '../beside-deep',
    absolute: join(at, 'file'),
  }
  writeFileSync(join(at, 'file'), 'old')
  for (const [link, target] of Object.entries(links)) symlinkSync(target, join(at, link))
  for (const [link, target] of Object.entries(links)) {
    await array.save(join(at, link))
    t.is(readlinkSync(join(at, link)), target)
    await holds(t, join(at, link), [1, 2, 3])
  }
  t.true(lstatSync(join(at, 'file')).isFile())
  t.true(lstatSync(join(at, 'made-by-save')).isFile())
  t.true(lstatSync(join(at, 'far/beside-deep')).isFile())
  symlinkSync('ring-b', join(at, 'ring-a'))
  symlinkSync('ring-a', join(at, 'ring-b'))
  await t.throwsAsync(array.save(join(at, 'ring-a')), { code: 'ELOOP' })
})

test('save keeps the mode of a file, and gives a new one the usual mode', async t => {
  const at = folder(t)
  using array = NDArray.from(null, [1])
  for (const bits of ['600', '640', '755', '4711']) {
    const path = join(at, bits)
    writeFileSync(path, 'old')
    chmodSync(path, Number.parseInt(bits, 8))
    await array.save(path)
    t.is(mode(path), bits)
    await holds(t, path, [1])
  }
  writeFileSync(join(at, 'usual'), '')
  await array.save(join(at, 'new'))
  t.is(mode(join(at, 'new')), mode(join(at, 'usual')))
})

test('save takes a name of 255 bytes, a relative path, a URL, and nothing else', async t => {
  const at = folder(t)
  using array = NDArray.from(null, [1])
  for (const name of ['n'.repeat(255), 'é'.repeat(127), 'with a # and a %20']) {
    await array.save(join(at, name))
    await holds(t, join(at, name), [1])
    await array.save(pathToFileURL(join(at, name)))
  }
  t.is(readdirSync(at).length, 3)
  const before = process.cwd()
  process.chdir(at)
  t.teardown(() => process.chdir(before))
  await array.save('plain')
  await array.save('./dotted')
  process.chdir(before)
  await holds(t, join(at, 'plain'), [1])
  await holds(t, join(at, 'dotted'), [1])
  for (const path of [undefined, null, 3, {}, new URL('https://localhost/x')]) {
    await t.throwsAsync(array.save(path as never), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(NDArray.load(path as never), { code: 'ERR_INVALID_ARG' })
  }
})

test('a save that fails leaves the old file, and nothing beside it', async t => {
  const at = folder(t)
  using array = NDArray.from(null, [1])
  mkdirSync(join(at, 'directory'))
  await t.throwsAsync(array.save(join(at, 'directory')), { code: 'EISDIR' })
  await t.throwsAsync(array.save(join(at, 'missing/file')), { code: 'ENOENT' })
  writeFileSync(join(at, 'read-only'), 'old', { mode: 0o444 })
  await unprivileged(() => t.throwsAsync(array.save(join(at, 'read-only')), { code: 'EACCES' }))
  t.is(readFileSync(join(at, 'read-only'), 'utf8'), 'old')
  t.deepEqual(readdirSync(at).sort(), ['directory', 'read-only'])
})

test('a reader that has the old file open keeps it whole while save replaces it', async t => {
  const at = folder(t)
  const path = join(at, 'file')
  using array = NDArray.from(null, [1, 2])
  await array.save(path)
  const { ino } = statSync(path)
  array.data[0] = 7
  await array.save(path)
  t.not(statSync(path).ino, ino)
})

test('save writes to a file in place where a new one can’t replace it', async t => {
  const at = folder(t)
  using array = NDArray.from(null, [1, 2])
  writeFileSync(join(at, 'one'), 'x'.repeat(5000))
  linkSync(join(at, 'one'), join(at, 'two'))
  await array.save(join(at, 'two'))
  t.is(statSync(join(at, 'one')).ino, statSync(join(at, 'two')).ino)
  t.is(readFileSync(join(at, 'one')).length, 128 + 16, 'the rest of the old file is cut off')
  await holds(t, join(at, 'one'), [1, 2])

  mkdirSync(join(at, 'closed'))
  const closed = join(at, 'closed/file')
  writeFileSync(closed, 'old')
  chmodSync(closed, 0o666)
  chmodSync(join(at, 'closed'), 0o555)
  const { ino } = statSync(closed)
  await unprivileged(() => array.save(closed))
  t.is(statSync(closed).ino, ino)
  await holds(t, closed, [1, 2])
  chmodSync(join(at, 'closed'), 0o755)
})

test(`save keeps the owner of a file${isRoot ? '' : ' (skipped: only root can give files away)'}`, async t => {
  if (!isRoot) return t.pass()
  const at = folder(t)
  using array = NDArray.from(null, [1])
  const path = join(at, 'theirs')
  writeFileSync(path, 'old')
  chownSync(path, 1234, 2345)
  chmodSync(path, 0o666)
  await array.save(path)
  t.deepEqual([statSync(path).uid, statSync(path).gid, mode(path)], [1234, 2345, '666'])
  await unprivileged(() => array.save(path))
  t.deepEqual([statSync(path).uid, statSync(path).gid, mode(path)], [1234, 2345, '666'])
  await holds(t, path, [1])
})

test('an .npz file that is broken is refused, and leaves no array', async t => {
  const at = folder(t)
  const path = join(at, 'file.npz')
  using one = NDArray.from(null, [1, 2, 3])
  await NDArray.saveNpz(path, { one, two: Float32Array.of(4) })
  const whole = readFileSync(path)
  const before = list().length
  const corrupt = { code: 'ERR_CORRUPT' }
  for (const length of [0, 1, 100, whole.length / 2, whole.length - 23]) {
    writeFileSync(path, whole.subarray(0, length))
    await t.throwsAsync(NDArray.loadNpz(path), corrupt, `${length} bytes`)
  }
  const header = whole.lastIndexOf('NUMPY')
  writeFileSync(path, Object.assign(Buffer.from(whole), { [header]: 0 }))
  await t.throwsAsync(NDArray.loadNpz(path), { ...corrupt, message: /"two.npy" of the .npz file/ })
  t.is(list().length, before)
  await t.throwsAsync(NDArray.loadNpz(join(at, 'missing')), { code: 'ENOENT' })
  for (const sources of [{ x: { a: 1 } }, { x: new Map() }])
    await t.throwsAsync(NDArray.saveNpz(path, sources as never), { code: 'ERR_INVALID_ARG' })
  for (const sources of [undefined, null, 1, 'text'] as never[])
    await t.throwsAsync(NDArray.saveNpz(path, sources), { code: 'ERR_INVALID_ARG', message: /^sources is/ })
  await t.throwsAsync(NDArray.saveNpz(path, {}, { compress: 1 } as never), { code: 'ERR_INVALID_ARG' })
})

if (process.platform !== 'win32') {
  test('save writes into a FIFO, and load reads from one', async t => {
    const at = folder(t)
    const path = join(at, 'fifo')
    execFileSync('mkfifo', [path])
    using array = NDArray.create(null, { shape: [1000, 100], fill: 1.5 })
    symlinkSync('fifo', join(at, 'link'))
    const [bytes] = await Promise.all([readFile(path), array.save(join(at, 'link'))])
    t.true(lstatSync(path).isFIFO())
    t.deepEqual(readdirSync(at).sort(), ['fifo', 'link'])
    const [loaded] = await Promise.all([NDArray.load(path), array.save(path)])
    t.deepEqual(loaded.data, array.data)
    loaded.close()

    const short = async (length: number) => {
      const writer = spawn('sh', ['-c', `cat > '${path}'`], { stdio: ['pipe', 'inherit', 'inherit'] })
      const closed = once(writer, 'close')
      writer.stdin.end(bytes.subarray(0, length))
      await t.throwsAsync(NDArray.load(path), { code: 'ERR_CORRUPT' }, `${length} bytes`)
      await closed
    }
    for (const length of [0, 5, 9, 11, 12, 50, 128, bytes.length - 1]) await short(length)
  })

  test('save and load use standard input and output: pipes and files', async t => {
    const at = folder(t)
    using three = NDArray.from(null, [1, 2, 3])
    using half = NDArray.from(null, Float32Array.of(0.5))
    await three.save(join(at, 'three'))
    await half.save(join(at, 'half'))
    const load = `'${process.execPath}' '${fixture('arrays/load-from-standard-input')}'`
    const run = (command: string): unknown => {
      const { stdout, stderr, status } = spawnSync('sh', ['-c', command], { cwd: at, encoding: 'utf8' })
      t.is(status, 0, stderr)
      return JSON.parse(stdout)
    }
    t.deepEqual(run(`cat three | ${load} 1`), [[1, 2, 3]])
    t.deepEqual(run(`cat three half three | ${load} 3`), [[1, 2, 3], [0.5], [1, 2, 3]])
    t.deepEqual(run(`${load} 1 < three`), [[1, 2, 3]])
    const save = `'${process.execPath}' '${fixture('arrays/save-to-standard-output')}'`
    t.deepEqual(run(`${save} | ${load} 1`), [[4, 5, 6]])
    t.deepEqual(run(`${save} > out; ${load} 1 < out`), [[4, 5, 6]])
    t.deepEqual(run(`${save} > out 3< out; ${load} 1 < out`), [[4, 5, 6]])
    t.deepEqual(readdirSync(at).sort(), ['half', 'out', 'three'])
  })

  test(`save writes to a device${isRoot ? '' : ' (skipped: only root can make one)'}`, async t => {
    if (!isRoot) return t.pass()
    const path = join(folder(t), 'null')
    execFileSync('mknod', [path, 'c', '1', '3'])
    using array = NDArray.from(null, [1])
    await array.save(path)
    t.true(lstatSync(path).isCharacterDevice())
    await t.throwsAsync(NDArray.load(path), { code: 'ERR_CORRUPT' })
  })
}

const unshare = isRoot ? ['unshare', '--mount'] : ['unshare', '--mount', '--map-root-user']
const canMount = spawnSync('sh', ['-c', `${unshare.join(' ')} mount --bind /tmp /tmp`]).status === 0

test(`save writes to a file that is mounted${canMount ? '' : ' (skipped: no mount namespaces here)'}`, async t => {
  if (!canMount) return t.pass()
  const at = folder(t)
  writeFileSync(join(at, 'inside'), 'old')
  writeFileSync(join(at, 'outside'), 'old')
  const command = `mount --bind outside inside && '${process.execPath}' '${fixture('arrays/save-to-standard-output')}' inside`
  const { status, stderr } = spawnSync(unshare[0] as string, [...unshare.slice(1), 'sh', '-c', command], {
    cwd: at,
    encoding: 'utf8',
  })
  t.is(status, 0, stderr)
  await holds(t, join(at, 'outside'), [4, 5, 6])
  t.is(readFileSync(join(at, 'inside'), 'utf8'), 'old')
})
