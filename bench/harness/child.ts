import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { basename } from 'node:path'

/** Starts another Node process. If it fails, so does the bench. */
export function startChild(program: string, args: string[], options: ForkOptions = {}): ChildProcess {
  const child = fork(program, args, options)
  child.on('exit', (code, signal) => {
    if (code !== 0) throw new Error(`${basename(program)} ended with ${code ?? signal}`)
  })
  return child
}
