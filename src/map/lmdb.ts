import { accessSync, appendFileSync, closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { CrossmemError, type CrossmemErrorCode } from '../errors.js'
import type { KeyBytes } from './keys.js'

// What this folder uses of the package lmdb, which the user installs. Its own types would be
// missing where it isn't installed.

/** A key: bytes, or what `KeyBytes` encodes. */
export type LmdbKey = unknown

export interface LmdbRange {
  start: LmdbKey
  end: LmdbKey
  reverse?: boolean
  limit?: number
  exclusiveStart?: boolean
  inclusiveEnd?: boolean
}

export interface Lmdb {
  /** The bytes are valid until the next call. */
  getBinaryFast(key: LmdbKey): Uint8Array | undefined
  getRange(range: LmdbRange): Iterable<{ key: unknown; value: Uint8Array }>
  put(key: LmdbKey, value: Uint8Array): unknown
  remove(key: LmdbKey): unknown
  /** All writes of `act`, in one transaction. */
  batch(act: () => void): Promise<unknown>
  transactionSync(act: () => void): void
  clearSync(): void
  clearAsync(): Promise<unknown>
  /** The next read sees what is committed now. */
  resetReadTxn(): void
  /** Frees the places of dead readers, whose pages no writer may use. */
  readerCheck(): number
  getStats(): LmdbStats
  close(): Promise<void>
}

export interface LmdbStats {
  pageSize: number
  entryCount: number
  treeBranchPageCount: number
  treeLeafPageCount: number
  overflowPages: number
  lastPageNumber: number
}

/** Addresses for the file; only what is written takes memory. LMDB takes more if it needs them. */
const MAP_SIZE = 2 ** 30

interface Module {
  open(options: object): Lmdb
}

let loaded: Module | undefined

/** @throws {CrossmemError} ERR_UNSUPPORTED: the package isn't installed, or can't be loaded */
export function loadLmdb(): Module {
  try {
    loaded ??= require('lmdb') as Module
    return loaded
  } catch (cause) {
    const isMissing = (cause as { code?: unknown } | null)?.code === 'MODULE_NOT_FOUND'
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      isMissing
        ? "a SharedMap needs the package lmdb, which crossmem doesn't install: npm install lmdb"
        : `the package lmdb can't be loaded: ${(cause as Error).message}; install it again: npm install lmdb`,
      { cause },
    )
  }
}

/**
 * Opens the database in that file, which is new if it has no bytes. All that LMDB would refuse is
 * found before: it can end the process when it fails to open a file.
 *
 * @throws {CrossmemError} ERR_UNSUPPORTED, ERR_CORRUPT, ERR_LIMIT, ERR_PERMISSION, ERR_OS
 */
export function openLmdb(path: string, keys: KeyBytes, name: string): Lmdb {
  const { open } = loadLmdb()
  const options = {
    path,
    noSubdir: true,
    // It lies in memory. What a killed process had written stays there.
    noSync: true,
    mapSize: MAP_SIZE,
    encoding: 'binary',
    keyEncoder: keys,
    eventTurnBatching: false,
    permissionsMode: 0o600,
  }
  try {
    checkDescriptors(path)
    const readers = `${path}-lock`
    if (existsSync(readers)) accessSync(readers, constants.R_OK | constants.W_OK)
    if (isDatabase(path)) return open(options)
  } catch (cause) {
    throw refused(name, cause)
  }
  throw new CrossmemError(
    'ERR_CORRUPT',
    `the database of "${name}" was overwritten, or another version of lmdb made it; unlink the map and create it again`,
  )
}

/** LMDB opens so many files, and some on the way. */
const DESCRIPTORS = 6

function checkDescriptors(path: string): void {
  const opened: number[] = []
  try {
    while (opened.length < DESCRIPTORS) opened.push(openSync(path, 'r+'))
  } finally {
    for (const descriptor of opened) closeSync(descriptor)
  }
}

const MAGIC = 0xbeefc0de
const VERSION = 2
/** Where the first page says these, and how long pages are. */
const [MAGIC_AT, VERSION_AT, PAGE_AT] = [24, 28, 48]
const HEADER = 52

/**
 * Whether the file is empty, or has the first two pages of a database. Completes a new database
 * whose maker was killed between these pages: they are equal but for their numbers. The page is
 * appended, so that it does no harm if another process did so before.
 */
function isDatabase(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const first = Buffer.alloc(HEADER)
    if (readSync(file, first, 0, HEADER, 0) === 0) return true
    const page = first.readUInt32LE(PAGE_AT)
    if (!isFirstPage(first) || page < 512 || page > 2 ** 16) return false
    const second = Buffer.alloc(HEADER)
    if (readSync(file, second, 0, HEADER, page) > 0) return isFirstPage(second)
    const copy = Buffer.alloc(page)
    readSync(file, copy, 0, page, 0)
    copy.writeUInt32LE(1, 0)
    appendFileSync(path, copy)
    return true
  } finally {
    closeSync(file)
  }
}

const isFirstPage = (bytes: Buffer): boolean =>
  bytes.readUInt32LE(MAGIC_AT) === MAGIC && bytes.readUInt32LE(VERSION_AT) === VERSION

const codes: Record<string, CrossmemErrorCode> = {
  EMFILE: 'ERR_LIMIT',
  ENFILE: 'ERR_LIMIT',
  EACCES: 'ERR_PERMISSION',
  EPERM: 'ERR_PERMISSION',
  ERR_ACCESS_DENIED: 'ERR_PERMISSION',
}

const refused = (name: string, cause: unknown): CrossmemError =>
  new CrossmemError(
    codes[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'ERR_OS',
    `the database of "${name}" can't be opened: ${(cause as Error).message}`,
    { cause },
  )
