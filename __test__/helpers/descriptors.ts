import { existsSync, readdirSync, readlinkSync } from 'node:fs'

const FOLDER = '/proc/self/fd'

/**
 * What this process has open, by descriptor; nothing where the system doesn't show it. Left out are
 * those by which agents wake each other and hear of deaths: they are opened when first needed.
 */
export function openDescriptors(): string[] {
  if (!existsSync(FOLDER)) return []
  return readdirSync(FOLDER)
    .map(opened)
    .filter(what => what !== undefined && !/inotify|~f\d+$/.test(what))
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
