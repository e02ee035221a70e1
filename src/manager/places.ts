import { createHash, randomBytes } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { CrossmemError } from '../errors.js'
import { Mutex } from '../locks/index.js'
import { domainName } from '../native/index.js'
import { show } from '../util/index.js'

// Where the managers of a domain are: a socket each, in a directory of the user's. Its file is
// left when a manager is killed. So whoever adds or removes one has a mutex of the domain, and
// then looks whether a process listens there: a dead manager's socket refuses.

const isWindows = process.platform === 'win32'
/** Longer paths don't fit an address of a Unix socket. */
const LONGEST = 103
const END = '.sock'

/** A name that no other manager has. */
export const randomName = (): string => `manager-${randomBytes(6).toString('hex')}`

/** @throws {CrossmemError} ERR_INVALID_NAME */
export function checkName(name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/.test(name)) return name
  throw new CrossmemError(
    'ERR_INVALID_NAME',
    `the name of a manager has 1 to 48 letters, digits, dots, hyphens and underscores, and begins with a letter or digit; ${show(name)} is none`,
  )
}

function folder(): string {
  const domain = domainName()
  const short = /^[\w.-]{1,24}$/.test(domain)
    ? domain
    : createHash('sha256').update(domain).digest('hex').slice(0, 16)
  const place = process.platform === 'linux' ? process.env.CROSSMEM_DIR || '/dev/shm' : tmpdir()
  return join(place, `.crossmem-${process.getuid?.() ?? 'user'}-managers-${short}`)
}

/** The path of the socket of a manager of this domain. */
export function pathOf(name: string): string {
  if (isWindows)
    return `\\\\.\\pipe\\crossmem-${createHash('sha256').update(folder()).digest('hex').slice(0, 16)}-${name}`
  const path = join(folder(), `${name}${END}`)
  if (path.length <= LONGEST) return path
  throw new CrossmemError(
    'ERR_INVALID_NAME',
    `the path of the socket is too long: ${path}; take a shorter name, or a shorter CROSSMEM_DIR`,
  )
}

/** The names of the managers of this domain, dead ones too. */
export function names(): string[] {
  try {
    const files = isWindows ? [] : readdirSync(folder())
    return files.flatMap(file => (file.endsWith(END) ? [file.slice(0, -END.length)] : [])).sort()
  } catch {
    return []
  }
}

/**
 * Has a server listen under a name.
 *
 * @throws {CrossmemError} ERR_EXISTS: a living manager has the name. ERR_PERMISSION: the directory
 *   is another user's
 */
export async function listenAs(server: Server, name: string): Promise<void> {
  const path = pathOf(name)
  await alone(async () => {
    await removeDead()
    if (!isWindows) makeFolder()
    if (!isWindows && names().includes(name)) throw exists(name)
    const mask = isWindows ? 0 : process.umask(0o177)
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(path, () => {
          server.off('error', reject)
          resolve()
        })
      })
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? exists(name)
        : new CrossmemError('ERR_OS', `the manager can't listen at ${path}: ${(cause as Error).message}`, {
            cause,
          })
    } finally {
      if (!isWindows) process.umask(mask)
    }
  })
}

/** Removes what dead managers left. */
export async function tidy(): Promise<void> {
  if (!isWindows && existsSync(folder())) await alone(removeDead)
}

/** Connects to a manager of this domain. */
export function dial(name: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(pathOf(name))
    socket.once('error', cause => {
      reject(new CrossmemError('ERR_NOT_FOUND', `no manager "${name}" is there: ${cause.message}`, { cause }))
    })
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** Runs `act` while no other process adds or removes sockets of the domain. */
async function alone(act: () => Promise<void>): Promise<void> {
  // Names in shared memory are those of all domains, so it has this one in its name.
  const mutex = Mutex.openOrCreate(basename(folder()).slice(1))
  try {
    await mutex.withLock(act)
  } finally {
    mutex.close()
  }
}

async function removeDead(): Promise<void> {
  for (const name of names()) {
    if (await answers(name)) continue
    try {
      unlinkSync(pathOf(name))
    } catch {
      // Another program has removed it.
    }
  }
  try {
    if (!isWindows && names().length === 0) rmdirSync(folder())
  } catch {
    // It isn't empty, or it isn't there.
  }
}

/** Whether a process listens. One that is stopped does. */
async function answers(name: string): Promise<boolean> {
  try {
    const socket = await dial(name)
    socket.destroy()
    return true
  } catch (error) {
    const { code } = Object((error as Error).cause) as { code?: unknown }
    return code !== 'ECONNREFUSED' && code !== 'ENOENT'
  }
}

/** Makes the directory, which only this user may use. */
function makeFolder(): void {
  const path = folder()
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code !== 'EEXIST') {
      throw new CrossmemError('ERR_OS', `the directory of managers can't be made: ${message}`, { cause })
    }
  }
  const { uid, mode } = lstatSync(path)
  const isDirectory = (mode & 0o170000) === 0o040000
  if (isDirectory && uid === process.getuid?.() && (mode & 0o077) === 0) return
  throw new CrossmemError(
    'ERR_PERMISSION',
    `${path} is no directory of mode 0700 of this user, so managers don't listen there; remove it`,
  )
}

const exists = (name: string): CrossmemError =>
  new CrossmemError('ERR_EXISTS', `a manager "${name}" runs already; connect to it, or take another name`)
