import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { main } from './command.js'

const run = promisify(execFile)

/** `script` gives a command a terminal. */
export const hasTerminal =
  process.platform === 'linux' && spawnSync('script', ['-qec', 'true', '/dev/null']).status === 0

/** What the command line prints on a terminal of so many columns, line by line. */
export async function onTerminal(columns: number, ...args: string[]): Promise<string[]> {
  const words = [process.execPath, main, ...args].map(word => `'${word}'`).join(' ')
  // Doctor's exit code tells of the domain, not of the terminal.
  const command = `stty cols ${columns} rows 50; ${words} || true`
  const env = { ...process.env, NO_COLOR: '1' }
  const { stdout } = await run('script', ['-qec', command, '/dev/null'], { env })
  return stdout.trimEnd().split('\r\n')
}
