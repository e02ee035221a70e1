import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, chown, type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, isAbsolute } from 'node:path'
import { CHUNK, pathOf } from './paths.js'

/** As many symbolic links as Linux follows. */
const MAX_LINKS = 40

/** Why a file can't be replaced where it may still be written to: by directory, owner, mount. */
const IRREPLACEABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV', 'ENAMETOOLONG'])

/**
 * Writes a file of these parts. A new or a plain file is written under a temporary name beside it,
 * and renamed when it is whole. What can't be replaced without a loss is written to in place: a
 * pipe or a device, a file with several names (hard links), a file whose directory or owner forbids
 * it, an open file that is named through /proc.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: `path` is neither a string nor a `file:` URL
 * @throws Node's own error, if the file can't be written
 */
export async function writeWhole(path: string | URL, parts: readonly Uint8Array[]): Promise<void> {
  const target = await followLinks(pathOf(path))
  const old = await statIfAny(target)
  if (old && !(await isReplaceable(target, old))) return writeInPlace(target, parts)
  try {
    await replace(target, old, parts)
  } catch (error) {
    if (!old || !IRREPLACEABLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    await writeInPlace(target, parts)
  }
}

/** Follows symbolic links up to the file at their end, which need not exist. */
async function followLinks(path: string): Promise<string> {
  let target = path
  for (let links = 0; links < MAX_LINKS; links++) {
    const link = await readlink(target).catch(() => undefined)
    // The links of /proc lead to open files, and their text is no path.
    if (link === undefined || (await isInProc(target))) return target
    // Not `join`: a `..` in the link is relative to the directory itself, not to its name.
    target = isAbsolute(link) ? link : `${dirname(target)}/${link}`
  }
  return target
}

async function isInProc(path: string): Promise<boolean> {
  const directory = dirname(path)
  // Node's permission model may forbid to read the directory itself.
  return (await realpath(directory).catch(() => directory)).startsWith('/proc/')
}

async function statIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isReplaceable(path: string, old: Stats): Promise<boolean> {
  if (!old.isFile() || old.nlink > 1 || (await isInProc(path))) return false
  // Renaming would replace a file that this user may not write to.
  await (await open(path, constants.O_WRONLY)).close()
  return true
}

/** Gives the new file the owner and the mode of the old one. */
async function replace(path: string, old: Stats | undefined, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${dirname(path)}/.npy-${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', old ? 0o600 : 0o666)
    try {
      await writeParts(file, parts)
      if (old) await resemble(file, temporary, old)
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function resemble(file: FileHandle, path: string, { uid, gid, mode }: Stats): Promise<void> {
  const made = await file.stat()
  if (made.uid !== uid || made.gid !== gid)
    await file.chown(uid, gid).catch(ifForbidden(() => chown(path, uid, gid)))
  await file.chmod(mode & 0o7777).catch(ifForbidden(() => chmod(path, mode & 0o7777)))
}

/** Node's permission model allows by path what it forbids for an open file. */
const ifForbidden =
  (byPath: () => Promise<void>) =>
  (error: NodeJS.ErrnoException): Promise<void> => {
    if (error.code === 'ERR_ACCESS_DENIED') return byPath()
    throw error
  }

async function writeInPlace(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, constants.O_WRONLY)
  try {
    await writeParts(file, parts)
    // Not before: programs that have mapped the file would be killed by what is missing.
    if ((await file.stat()).isFile())
      await file.truncate(parts.reduce((length, part) => length + part.length, 0))
  } finally {
    await file.close()
  }
}

async function writeParts(file: FileHandle, parts: readonly Uint8Array[]): Promise<void> {
  for (const part of parts)
    for (let done = 0; done < part.length; done += CHUNK)
      await file.writeFile(part.subarray(done, done + CHUNK))
}
