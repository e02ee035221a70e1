import { readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, machine, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { root } from './root.js'

/** Properties of the machine that the figures depend on. */
export type Machine = [name: string, value: string][]

export function describeMachine(): Machine {
  const cores = cpus()
  const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`
  return [
    ['date', new Date().toISOString()],
    [
      'CPU',
      `${cores[0]?.model.trim() ?? machine()}, ${cores.length} cores, ${availableParallelism()} usable`,
    ],
    ['memory', gibibytes(totalmem())],
    ['kernel', `${type()} ${release()} ${arch()}`],
    ['Node', `${process.versions.node} (V8 ${process.versions.v8})`],
    [
      'crossmem',
      (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
    ],
    ['/dev/shm', shmSize(gibibytes)],
    ['huge pages', `private memory: ${thp('enabled')}; shared memory: ${thp('shmem_enabled')}`],
    ['load at the start', load()],
  ]
}

/** Processes that ran or wanted to run, on average in the last 1, 5 and 15 minutes. */
export const load = (): string =>
  loadavg()
    .map(average => average.toFixed(2))
    .join(' ')

function shmSize(show: (bytes: number) => string): string {
  try {
    const { bsize, blocks } = statfsSync('/dev/shm')
    return `${show(bsize * blocks)} (${mountOptions('/dev/shm')})`
  } catch {
    return 'none'
  }
}

function mountOptions(directory: string): string {
  const mount = readText('/proc/mounts')
    .split('\n')
    .map(line => line.split(' '))
    .find(([, where]) => where === directory)
  return mount ? `${mount[2]} ${mount[3]}` : 'mount unknown'
}

/** The chosen value of a setting such as `always [madvise] never`. */
const thp = (setting: string): string =>
  /\[(.+)\]/.exec(readText(`/sys/kernel/mm/transparent_hugepage/${setting}`))?.[1] ?? 'unknown'

/** Huge pages that this process has now. */
export function hugePages(): string {
  const rollup = readText('/proc/self/smaps_rollup')
  const kibibytes = (field: string): string =>
    new RegExp(`^${field}: +(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 'unknown'
  return `${kibibytes('AnonHugePages')} KiB private, ${kibibytes('ShmemPmdMapped')} KiB shared`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
