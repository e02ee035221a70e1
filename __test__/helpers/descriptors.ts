import { existsSync, readdirSync, readlinkSync } from 'node:fs'

const FOLDER = '/proc/self/fd'

/**
 * How many descriptors this process has open; 0 where the system doesn't show them. The one by
 * which a calm agent hears of deaths isn't counted, since an idle process opens it.
 */
export function openDescriptors(): number {
  return existsSync(FOLDER) ? readdirSync(FOLDER).filter(fd => !isInotify(fd)).length : 0
}

function isInotify(fd: string): boolean {
  try {
    return readlinkSync(`${FOLDER}/${fd}`).includes('inotify')
  } catch {
    // It is the one of the folder itself.
    return false
  }
}
