import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './paths.js'

/** The paths in the main package. */
export function packedPaths(): string[] {
  const printed = execFileSync('npm', ['pack', '--json', '--dry-run'], { cwd: root, encoding: 'utf8' })
  const [{ files }] = JSON.parse(printed.slice(printed.indexOf('['))) as [{ files: { path: string }[] }]
  return files.map(({ path }) => path)
}

/** The file of the addon that was built here, and its platform, as `linux-x64-gnu`. */
export function builtAddon(): { file: string; platform: string } {
  const folder = join(root, 'dist', 'addon')
  const file = readdirSync(folder).find(name => name.endsWith('.node')) as string
  return { file: join(folder, file), platform: file.split('.')[1] as string }
}

/** Runs a program of `scripts/packages`, and returns what it prints. */
export function tool(program: string, ...args: string[]): string {
  return execFileSync(process.execPath, [join(root, 'scripts', 'packages', program), ...args], {
    encoding: 'utf8',
  })
}

/** Installs what would be published for this platform into a folder, as npm does. */
export function installPublished(into: string): void {
  const packages = mkdtempSync(join(tmpdir(), 'crossmem-packages-'))
  try {
    tool('make.mjs', '--partial', '--into', packages)
    tool('install.mjs', into, packages)
  } finally {
    rmSync(packages, { recursive: true })
  }
}
