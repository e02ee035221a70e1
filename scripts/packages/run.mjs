import { spawnSync } from 'node:child_process'

/** Runs a program that must succeed, and returns what it prints. */
export function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    shell: process.platform === 'win32' && command === 'npm',
    ...options,
  })
  if (status !== 0) {
    const said = error?.message ?? [stderr, stdout].filter(Boolean).join('')
    throw new Error(`${[command, ...args].join(' ')}: ${said || `status ${status}`}`)
  }
  return stdout
}
