import { readFileSync } from 'node:fs'

/**
 * How often the kernel has killed a process since memory was short: in the memory cgroup of this
 * process, or on the machine if that isn't told; 0 where the system doesn't count.
 */
export function oomKills(): number {
  const group = /^0::(.*)$/m.exec(read('/proc/self/cgroup'))?.[1] ?? ''
  const counted = numberIn(read(`/sys/fs/cgroup${group}/memory.events`)) ?? numberIn(read('/proc/vmstat'))
  return counted ?? 0
}

function numberIn(text: string): number | undefined {
  const found = /^oom_kill (\d+)$/m.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
