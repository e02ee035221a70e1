// A reader and a writer that take turns by a lock on a file, as in turns-by-file-lock.py.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileLock, Process, parentProcess } from 'crossmem'

/** Calls `act` with the file's text, while it is locked, until that does something. */
async function inTurn(path: string, act: (text: string) => boolean): Promise<void> {
  using file = FileLock.open(path)
  for (let done = false; !done; ) {
    using _held = await file.lock()
    done = act(readFileSync(path, 'utf8'))
  }
}

export const write = async (path: string): Promise<void> => {
  for (let number = 0; number < 5; number++) {
    await inTurn(path, text => {
      if (text === '') writeFileSync(path, `number ${number}`)
      return text === ''
    })
  }
}

export const read = async (path: string): Promise<void> => {
  for (let i = 0; i < 5; i++) {
    await inTurn(path, text => {
      if (text !== '') console.log(`read ${text}`)
      writeFileSync(path, '')
      return text !== ''
    })
  }
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'turns-'))
  const path = join(folder, 'slate')
  writeFileSync(path, '')
  const children = ['write', 'read'].map(run => Process.start(__filename, { run, args: [path] }))
  for (const p of children) await p.join()
  rmSync(folder, { recursive: true })
}

if (!parentProcess()) void main()
