import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import ava, { type ExecutionContext } from 'ava'
import { root } from './paths.js'

// Python's programs are not compiled: they stay where they were written.
const fixtures = join(root, '__test__', 'fixtures')

type Found = { path: string; version: string; numpy: string } | { path: null; reason: string }

function find(): Found {
  if (process.platform !== 'linux') return { path: null, reason: 'these tests need Linux, for /dev/shm' }
  const script = join(root, 'scripts', 'python.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--json'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${script} failed: ${stderr}`)
  return JSON.parse(stdout) as Found
}

/** A Python with NumPy, or the reason why there is none. */
export const python = find()

/** Whether this Python is at least that version; false without Python. */
export function isPython(major: number, minor: number): boolean {
  if (python.path === null) return false
  const [thisMajor = 0, thisMinor = 0] = python.version.split('.').map(Number)
  return thisMajor > major || (thisMajor === major && thisMinor >= minor)
}

type Run = (t: ExecutionContext) => void | Promise<void>

/** A test that is skipped, and says so, where there is no Python; one after the other. */
export function pythonTest(title: string, run: Run): void {
  if (python.path === null) ava.serial.skip(`${title} (skipped: no Python: ${python.reason})`, run)
  else ava.serial(title, run)
}

/** How a Python process ended. */
export interface End {
  code: number | null
  signal: string | null
  /** What it and its resource tracker complained about. */
  stderr: string
}

/** A running Python program that takes orders: one JSON text per line, and one per answer. */
export interface PythonProcess {
  /** Resolves with what the program answers; rejects with what it raised. */
  tell<T>(order: object): Promise<T>
  /** Ends it as usual, and waits until it is gone, and the resource tracker it may have started too. */
  leave(): Promise<End>
  /** Kills it at once, and waits as `leave` does. */
  kill(): Promise<End>
}

/** Starts a Python program of `fixtures/`. */
export function startPython(fixture: string): PythonProcess {
  if (python.path === null) throw new Error(python.reason)
  const child = spawn(python.path, [join(fixtures, `${fixture}.py`)], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' },
  })
  // Not 'exit': the tracker shares our end of stderr, and 'close' waits until nobody can write to it any more.
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  // A program that is gone already can't be told anything; its missing answer says so.
  child.stdin.on('error', () => undefined)

  const end = async (): Promise<End> => {
    const [code, signal] = await closed
    return { code, signal, stderr }
  }
  return {
    async tell<T>(order: object): Promise<T> {
      child.stdin.write(`${JSON.stringify(order)}\n`)
      const { value, done } = await lines.next()
      if (done) throw new Error(`${fixture}.py ended without an answer: ${JSON.stringify(await end())}`)
      const { answer, refused } = JSON.parse(value) as { answer?: T; refused?: string }
      if (refused !== undefined) throw new Error(refused)
      return answer as T
    },
    leave() {
      child.stdin.end()
      return end()
    },
    kill() {
      child.kill('SIGKILL')
      return end()
    },
  }
}
