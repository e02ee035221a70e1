import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import ava, { type ExecutionContext } from 'ava'
import { root } from './paths.js'

type Found =
  | { path: string; version: string; numpy: string; mlDtypes: string | null }
  | { path: null; reason: string }

function find(): Found {
  if (process.platform !== 'linux') return { path: null, reason: 'these tests need Linux, for /dev/shm' }
  const script = join(root, 'scripts', 'python.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${script} failed: ${stderr}`)
  return JSON.parse(stdout) as Found
}

let known: Found | undefined

/** A Python with NumPy, or the reason why there is none. */
export const python = (): Found => (known ??= find())

/**
 * The path of a Python of that version, such as `'3.8'`: by its command, or where pyenv keeps it;
 * `undefined` if there is none.
 */
export function pythonOf(version: string): string | undefined {
  const kept = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions')
  const folders = foldersIn(kept).filter(folder => folder.startsWith(`${version}.`))
  const candidates = [`python${version}`, ...folders.map(folder => join(kept, folder, 'bin', 'python3'))]
  for (const candidate of candidates) {
    const { status, stdout } = spawnSync(candidate, ['-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    })
    if (status === 0) return stdout.trim()
  }
  return undefined
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** A test with a Python of that version, skipped where there is none. */
export function pythonVersionTest(
  version: string,
  title: string,
  run: (t: ExecutionContext, path: string) => Promise<void>,
): void {
  const path = process.platform === 'linux' ? pythonOf(version) : undefined
  if (path === undefined) ava.serial.skip(`${title} (skipped: no Python ${version})`, () => undefined)
  else ava.serial(title, t => run(t, path))
}

/** Runs a Python program, and returns what it prints. */
export function runPython(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(python().path as string, ['-c', program, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** Whether this Python is at least that version; false without Python. */
export function isPython(major: number, minor: number): boolean {
  const found = python()
  if (found.path === null) return false
  const [thisMajor = 0, thisMinor = 0] = found.version.split('.').map(Number)
  return thisMajor > major || (thisMajor === major && thisMinor >= minor)
}

type Run = (t: ExecutionContext) => void | Promise<void>

/** A test that is skipped, and says so, where there is no Python; one after the other. */
export function pythonTest(title: string, run: Run): void {
  const found = python()
  if (found.path === null) ava.serial.skip(`${title} (skipped: no Python: ${found.reason})`, run)
  else ava.serial(title, run)
}

/** A test that is skipped, and says so, where there is no ml_dtypes. */
export function mlDtypesTest(title: string, run: Run): void {
  const found = python()
  if (found.path !== null && found.mlDtypes === null)
    ava.serial.skip(`${title} (skipped: no ml_dtypes for Python ${found.version})`, run)
  else pythonTest(title, run)
}
