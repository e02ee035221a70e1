// Packages and sources of Debian, unpacked in target/tools/cross and not installed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { run } from '../packages/run.mjs'
import { home } from './home.mjs'

/** The folder with the files of packages of this Debian or Ubuntu. */
export function ofThisDebian(name, packages) {
  const folder = join(home, name)
  if (existsSync(folder)) return folder
  return filled(folder, unfinished => {
    run('apt-get', ['download', ...packages], { cwd: unfinished })
  })
}

/** The folder with the files of packages or sources, of any release that mirrors have; with their hashes. */
export async function ofMirror(name, hashes) {
  const folder = join(home, name)
  if (existsSync(folder)) return folder
  const files = await Promise.all(Object.entries(hashes).map(download))
  return filled(folder, unfinished => {
    for (const { name, bytes } of files) writeFileSync(join(unfinished, name), bytes)
  })
}

/** Unpacks what is put into a folder. It gets its name when it is whole. */
function filled(folder, put) {
  const unfinished = `${folder}.unfinished`
  mkdirSync(unfinished, { recursive: true })
  put(unfinished)
  for (const name of readdirSync(unfinished)) {
    const file = join(unfinished, name)
    if (name.endsWith('.deb')) run('dpkg', ['-x', file, unfinished])
    else run('tar', ['-xf', file, '-C', unfinished])
  }
  renameSync(unfinished, folder)
  return folder
}

async function download([path, sha256]) {
  const address = `${mirror()}${path}`
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address}: ${response.status}`)
  const bytes = Buffer.from(await response.arrayBuffer())
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== sha256) throw new Error(`${address} has the hash ${found}`)
  return { name: basename(path), bytes }
}

/** The mirror of Debian that this machine is set up with: it has the files of later releases, too. */
function mirror() {
  const mirrors = run('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n')
  const found = mirrors.find(uri => /\/debian\/?$/.test(uri))
  if (!found) throw new Error('libraries come from a mirror of Debian, and apt knows none')
  return `${found.replace(/\/$/, '')}/`
}
