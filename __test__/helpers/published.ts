import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './paths.js'

/** Packs what `npm publish` would send: the file's name, and the paths in it. */
export function pack(...options: string[]): { filename: string; paths: string[] } {
  const printed = execFileSync('npm', ['pack', '--json', ...options], { cwd: root, encoding: 'utf8' })
  const [{ filename, files }] = JSON.parse(printed.slice(printed.indexOf('['))) as [
    { filename: string; files: { path: string }[] },
  ]
  return { filename, paths: files.map(({ path }) => path) }
}

/** Lays out the package and its platform's binary as `npm install` would. */
export function installPublished(into: string): void {
  const { filename, paths } = pack('--pack-destination', into)
  const strays = paths.filter(path => /\.node$|__test__|^(src|crates|build|scripts)\//.test(path))
  if (strays.length > 0) throw new Error(`the package carries ${JSON.stringify(strays)}`)
  const modules = join(into, 'node_modules')
  mkdirSync(join(modules, 'crossmem'), { recursive: true })
  execFileSync('tar', ['xzf', join(into, filename), '--strip-components=1', '-C', join(modules, 'crossmem')])
  for (const dependency of ['@petamoriken', 'fflate']) {
    symlinkSync(join(root, 'node_modules', dependency), join(modules, dependency), 'dir')
  }
  const [binary = ''] = readdirSync(join(root, 'dist', 'addon')).filter(file => file.endsWith('.node'))
  const platform = binary.split('.')[1] as string
  cpSync(join(root, 'npm', platform), join(modules, `crossmem-${platform}`), { recursive: true })
  cpSync(join(root, 'dist', 'addon', binary), join(modules, `crossmem-${platform}`, binary))
}
