import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../helpers/paths.js'

export const main = join(root, 'dist', 'cli', 'main.js')

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** Runs the real command line. */
export const crossmem = (...args: string[]): Promise<Ran> =>
  new Promise((resolve, reject) => {
    execFile(process.execPath, [main, ...args], (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr })
    })
  })

/** Runs it with --json: its exit code, and what it printed. */
export async function json<T = Record<string, unknown>>(
  ...args: string[]
): Promise<{ code: number; data: T }> {
  const { code, stdout } = await crossmem(...args, '--json')
  return { code, data: JSON.parse(stdout) as T }
}

/** The errors that --json prints, one a line. */
export const errorsIn = ({ stderr }: Ran): { code: string; message: string }[] =>
  stderr
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { error: { code: string; message: string } }).error)

/** The columns of a line: they are two blanks apart or more. */
export const cells = (line: string): string[] => line.split(/ {2,}/)

export interface Agent {
  pid: number
  thread: number
  alive: boolean
}

export interface Listed {
  name: string
  attached: Agent[]
  doomed: boolean
  present: boolean
}

export interface Diagnosis {
  control: { name: string; byteLength: number } | null
  registryHeldBy: number | null
  agents: Agent[]
  objects: Listed[]
  sweepable: { agents: number; objects: number; bytes: number }
  problems: { code: string; message: string }[]
  notes: { code: string; message: string }[]
  clean: boolean
}
