import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import ava from 'ava'
import { folder } from '../helpers/folder.js'
import { root } from '../helpers/paths.js'
import { builtAddon, tool } from '../helpers/published.js'

const test = ava.serial
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const platforms = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
]
const here = builtAddon()
const tarball = (platform: string): string => `crossmem-${platform}-${version}.tgz`

/** Just enough of an addon's file to tell its platform by. */
function header(platform: string): Buffer {
  const [os = '', cpu = '', abi = ''] = platform.split('-')
  const bytes = Buffer.alloc(256)
  if (os === 'linux') {
    bytes.write('\x7fELF\x02\x01', 'latin1')
    bytes.writeUInt16LE(cpu === 'x64' ? 62 : 183, 18)
  } else if (os === 'darwin') {
    bytes.writeUInt32LE(0xfeedfacf, 0)
    bytes.writeUInt32LE(cpu === 'x64' ? 0x01000007 : 0x0100000c, 4)
  } else {
    bytes.write('MZ', 'latin1')
    bytes.writeUInt32LE(0x80, 0x3c)
    bytes.write('PE\0\0', 0x80, 'latin1')
    bytes.writeUInt16LE(cpu === 'x64' ? 0x8664 : 0xaa64, 0x84)
  }
  bytes.write(`\0napi_register_module_v1\0${abi === 'gnu' ? 'libc.so.6' : 'libc.so'}\0`, 0xa0, 'latin1')
  return bytes
}

const made = mkdtempSync(join(tmpdir(), 'crossmem-publishing-'))
const packages = join(made, 'packages')
const addons = join(made, 'addons')

test.before('the nine packages are made of the addon that was built here and seven headers', t => {
  for (const platform of platforms) {
    // Each lies in a folder of its own, as a workflow downloads them.
    mkdirSync(join(addons, platform), { recursive: true })
    const file = join(addons, platform, `crossmem.${platform}.node`)
    if (platform === here.platform) cpSync(here.file, file)
    else writeFileSync(file, header(platform))
  }
  const printed = tool('make.mjs', '--addons', addons, '--into', packages).trim().split(/\r?\n/)
  t.deepEqual(
    printed,
    [...platforms.map(tarball), `crossmem-${version}.tgz`].map(file => join(packages, file)),
  )
})
test.after.always(() => rmSync(made, { recursive: true, force: true }))

/** A copy of the nine packages, in which a test may break one. */
function copyOfPackages(t: Parameters<typeof folder>[0]): string {
  const copy = join(folder(t), 'packages')
  cpSync(packages, copy, { recursive: true })
  return copy
}

/** Unpacks a package, changes it, and packs it again. */
function change(file: string, how: (folder: string) => void): void {
  const unpacked = mkdtempSync(join(tmpdir(), 'crossmem-change-'))
  execFileSync('tar', ['-xzf', file], { cwd: unpacked })
  how(join(unpacked, 'package'))
  execFileSync('tar', ['-czf', file, 'package'], { cwd: unpacked })
  rmSync(unpacked, { recursive: true })
}

function changeManifest(file: string, fields: object): void {
  change(file, folder => {
    const path = join(folder, 'package.json')
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...fields }))
  })
}

/** A program of `scripts/packages`, which may fail. */
function attempt(program: string, args: string[], env = {}): { status: number | null; said: string } {
  const script = join(root, 'scripts', 'packages', program)
  const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], options)
  return { status, said: stdout + stderr }
}

/** All files of a folder: paths and texts. */
function filesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    files
      .filter(path => statSync(join(folder, path)).isFile())
      .map(path => [path, readFileSync(join(folder, path), 'utf8').replaceAll('\r', '')]),
  )
}

test('npm/ is as scripts/packages/platforms.mjs writes it from package.json', t => {
  const written = join(folder(t), 'npm')
  tool('platforms.mjs', written)
  t.is(Object.keys(filesOf(written)).length, 2 * platforms.length)
  t.deepEqual(filesOf(join(root, 'npm')), filesOf(written))
})

test('an empty project gets the main package and the one for its platform, and the README runs there', t => {
  const project = folder(t)
  tool('install.mjs', project, packages)
  const others = platforms.filter(platform => {
    const { status } = spawnSync('npm', ['ls', `crossmem-${platform}`], { cwd: project })
    return status === 0 && statSync(join(project, 'node_modules', `crossmem-${platform}`)).isDirectory()
  })
  t.deepEqual(others, [here.platform])
  t.regex(tool('try.mjs', packages), /^crossmem .* works on /)
})

test('a set is refused if a package of it is missing, incomplete, of another platform or version', t => {
  t.is(attempt('check.mjs', [packages]).said, `9 packages of crossmem ${version} are complete\n`)
  const cases: Record<string, [how: (packages: string) => void, says: RegExp]> = {
    'a package is missing': [
      packages => rmSync(join(packages, tarball('linux-arm64-musl'))),
      /^crossmem-linux-arm64-musl-[\d.]+tgz is missing$/m,
    ],
    'a package is cut off': [
      packages => writeFileSync(join(packages, tarball('darwin-x64')), 'no archive'),
      /^crossmem-darwin-x64-.*can't be unpacked$/m,
    ],
    'the addon is missing': [
      packages =>
        change(join(packages, tarball('win32-x64-msvc')), folder =>
          rmSync(join(folder, 'crossmem.win32-x64-msvc.node')),
        ),
      /^crossmem-win32-x64-msvc-.*: crossmem\.win32-x64-msvc\.node is missing$/m,
    ],
    'a package is of another version': [
      packages => changeManifest(join(packages, tarball('linux-x64-gnu')), { version: '0.0.9' }),
      /^crossmem-linux-x64-gnu-.*: version is "0\.0\.9" instead of /m,
    ],
    'a package is for no C library': [
      packages => changeManifest(join(packages, tarball('linux-x64-musl')), { libc: undefined }),
      /^crossmem-linux-x64-musl-.*: libc is undefined instead of \["musl"\]/m,
    ],
    'the main package lacks a dependency': [
      packages => changeManifest(join(packages, `crossmem-${version}.tgz`), { optionalDependencies: {} }),
      /^crossmem-\d.*: optionalDependencies is \{\} instead of /m,
    ],
    'the main package lacks its types': [
      packages =>
        change(join(packages, `crossmem-${version}.tgz`), folder =>
          rmSync(join(folder, 'dist', 'index.d.ts')),
        ),
      /^crossmem-\d.*: \.\/dist\/index\.d\.ts is missing$/m,
    ],
    'another package lies there': [
      packages => cpSync(join(packages, tarball('darwin-x64')), join(packages, 'crossmem-0.0.9.tgz')),
      /^crossmem-0\.0\.9\.tgz is not a package of crossmem/m,
    ],
  }
  for (const [title, [how, says]] of Object.entries(cases)) {
    const broken = copyOfPackages(t)
    how(broken)
    const { status, said } = attempt('check.mjs', [broken])
    t.is(status, 1, title)
    t.regex(said, says, title)
    t.is(attempt('publish.mjs', [broken]).status, 1, title)
  }
})

test('an addon for another platform is refused, by the header of its file', t => {
  for (const [platform, other] of platforms.map((platform, i) => [platform, platforms.at(i - 1) as string])) {
    const file = tarball(platform as string)
    const broken = copyOfPackages(t)
    change(join(broken, file), folder =>
      writeFileSync(join(folder, `crossmem.${platform}.node`), header(other as string)),
    )
    const { status, said } = attempt('check.mjs', [broken])
    t.is(status, 1, said)
    t.is(said, `${file}: crossmem.${platform}.node was built for ${other}\n`)
  }
})

test('no package is made if an addon is missing', t => {
  const { status, said } = attempt('make.mjs', ['--addons', join(root, 'docs'), '--into', folder(t)])
  t.is(status, 1)
  t.regex(said, /docs has no file of the name crossmem\.linux-x64-gnu\.node; it must have one/)
})

if (process.platform !== 'win32') {
  /** A program that stands for npm and notes what it is asked to publish. */
  function fakeNpm(t: Parameters<typeof folder>[0]): { env: object; published: () => string[] } {
    const bin = folder(t)
    const log = join(bin, 'log')
    const program = `#!/bin/sh
case "$1 $2" in
  "view $ALREADY@"*) echo "$INTEGRITY" ;;
  view*) exit 1 ;;
  *) echo "$@" >> ${log} ;;
esac
`
    writeFileSync(join(bin, 'npm'), program, { mode: 0o755 })
    writeFileSync(log, '')
    return {
      env: { PATH: bin + delimiter + process.env.PATH },
      published: () => readFileSync(log, 'utf8').split('\n').slice(0, -1),
    }
  }

  test('nothing is published unasked, without the tag of the version, or without a repository', t => {
    const { env, published } = fakeNpm(t)
    const rehearsal = attempt('publish.mjs', [packages], env)
    t.is(rehearsal.status, 0, rehearsal.said)
    t.is(rehearsal.said.match(/^would publish /gm)?.length, 9)
    const refused = attempt('publish.mjs', ['--really', '--tag', 'v9.9.9', packages], env)
    t.is(refused.status, 1)
    t.regex(refused.said, /the tag is v9\.9\.9, and package\.json wants v/)
    t.deepEqual(published(), [])
  })

  test('with a repository, the main package is published last, and what is there is left out', t => {
    const { env, published } = fakeNpm(t)
    // A checkout that is ready for a release.
    const checkout = folder(t)
    cpSync(join(root, 'scripts'), join(checkout, 'scripts'), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
    const repository = { type: 'git', url: 'git+https://git.example/crossmem.git' }
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    writeFileSync(join(checkout, 'package.json'), JSON.stringify({ ...manifest, repository }))
    writeFileSync(join(checkout, 'CHANGELOG.md'), `# Changelog\n\n## [${version}]\n`)
    const release = copyOfPackages(t)
    const files = [...platforms.map(tarball), `crossmem-${version}.tgz`]
    for (const file of files) changeManifest(join(release, file), { repository })

    const publish = (environment: object) => {
      const script = join(checkout, 'scripts', 'packages', 'publish.mjs')
      return spawnSync(process.execPath, [script, '--really', '--tag', `v${version}`, release], {
        encoding: 'utf8',
        env: { ...process.env, ...env, ...environment },
      })
    }
    // Links to files that only the repository has lead there, at the tag of the version.
    const page = join(folder(t), 'README.md')
    writeFileSync(page, 'See [how](docs/how.md#why), `[code](no.md)` and ![a plot](plot.svg).')
    const program = `import { mendLinks } from '${join(checkout, 'scripts', 'packages', 'links.mjs')}'
      mendLinks(${JSON.stringify(dirname(page))})`
    execFileSync(process.execPath, ['--input-type=module', '-e', program])
    const address = (view: string): string => `https://git.example/crossmem/${view}/v${version}`
    t.is(
      readFileSync(page, 'utf8'),
      `See [how](${address('blob')}/docs/how.md#why), \`[code](no.md)\` and ![a plot](${address('raw')}/plot.svg).`,
    )

    const first = readFileSync(join(release, files[0] as string))
    const integrity = `sha512-${createHash('sha512').update(first).digest('base64')}`
    const other = publish({ ALREADY: 'crossmem-linux-x64-gnu', INTEGRITY: 'sha512-other' })
    t.is(other.status, 1)
    t.regex(other.stderr, /crossmem-linux-x64-gnu .* is published with other content: raise the version/)
    t.deepEqual(published(), [])

    const { status, stdout, stderr } = publish({ ALREADY: 'crossmem-linux-x64-gnu', INTEGRITY: integrity })
    t.is(status, 0, stderr)
    t.regex(stdout, /^crossmem-linux-x64-gnu-.*\.tgz is published already$/m)
    t.deepEqual(
      published(),
      files.slice(1).map(file => `publish ${join(release, file)} --access public --provenance`),
    )
  })
}

test('the packages stay small', t => {
  // A tenth more than when this was written: what makes them larger is meant to be.
  for (const [file, limit] of [
    [`crossmem-${version}.tgz`, 600_000],
    [tarball(here.platform), 908_000],
  ] as const) {
    const { size } = statSync(join(packages, file))
    t.true(size < limit, `${file} has ${size} bytes`)
  }
})

test('each link in the pages of the package leads to a file of the package', t => {
  const unpacked = folder(t)
  execFileSync('tar', ['-xzf', join(packages, `crossmem-${version}.tgz`)], { cwd: unpacked })
  const at = join(unpacked, 'package')
  const pages = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.md'))
  t.true(pages.includes('README.md') && pages.includes(join('docs', 'arrays.md')))
  let links = 0
  for (const page of pages) {
    const prose = readFileSync(join(at, page), 'utf8').replace(/^(`{3,}).*?^\1$|`[^`\n]+`/gms, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
      links++
      t.true(/^https:/.test(target) || existsSync(join(at, dirname(page), target)), `${page}: ${target}`)
    }
  }
  t.true(links > 100)
})

test('the workflow builds the addon for each target, and tests it', t => {
  const { targets } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi as {
    targets: string[]
  }
  const workflow = readFileSync(join(root, '.github', 'workflows', 'ci.yml'), 'utf8')
  const [, built = '', tested = ''] = /^ {2}addon:$(.*)^ {2}test:$(.*)^ {2}runtimes:$/ms.exec(workflow) ?? []
  for (const jobs of [built, tested]) {
    const named = new Set(jobs.match(/\b(?:x86_64|aarch64)-[\w-]+/g))
    t.deepEqual([...named].sort(), [...targets].sort())
  }
})

test('the crates have the version of the package', t => {
  const manifest = readFileSync(join(root, 'Cargo.toml'), 'utf8')
  t.is(/^version = "(.*)"$/m.exec(manifest)?.[1], version)
})

if (here.platform.endsWith('-gnu')) {
  test('a binary that needs a newer glibc than promised is refused', t => {
    const at = folder(t)
    const cc = (...args: string[]): void =>
      void execFileSync('cc', ['-shared', '-fPIC', ...args], { cwd: at })
    // A library that passes for the glibc of a system to come.
    writeFileSync(join(at, 'glibc.c'), 'int new_call(void) { return 1; }')
    writeFileSync(join(at, 'versions'), 'GLIBC_2.99 { global: new_call; };')
    cc('glibc.c', '-o', 'glibc.so', '-Wl,-soname,libc.so.6', '-Wl,--version-script,versions')
    writeFileSync(join(at, 'new.c'), 'int new_call(void); int call(void) { return new_call(); }')
    cc('new.c', '-nostdlib', '-o', 'new.so', './glibc.so')
    writeFileSync(
      join(at, 'old.c'),
      'char *getenv(const char *); char *call(void) { return getenv("HOME"); }',
    )
    cc('old.c', '-o', 'old.so')

    const old = attempt('glibc.mjs', [join(at, 'old.so')])
    t.is(old.status, 0, old.said)
    t.regex(old.said, /old\.so needs glibc 2\.\d+/)
    const newer = attempt('glibc.mjs', [join(at, 'old.so'), join(at, 'new.so')])
    t.is(newer.status, 1)
    t.regex(newer.said, /new\.so must need no more than 2\.28$/m)
    t.is(attempt('glibc.mjs', [join(root, 'LICENSE-MIT')]).status, 1)
  })
}
