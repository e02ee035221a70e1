import { existsSync, readdirSync, readlinkSync } from 'node:fs'

const FOLDER = '/proc/self/fd'

/**
 * What this process has open, by descriptor; nothing where the system doesn't show it. Left out is
 * that by which a calm agent hears of deaths, since an idle process opens it.
 */
export function openDescriptors(): string[] {
  if (!existsSync(FOLDER)) return []
  return readdirSync(FOLDER)
    .map(opened)
    .filter(what => what !== undefined && !what.includes('inotify'))
    .sort() as string[]
}

function opened(fd: string): string | undefined {
  try {
    return readlinkSync(`${FOLDER}/${fd}`)
  } catch {
    // It was the one by which the folder was read.
    return undefined
  }
}
