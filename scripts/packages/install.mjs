// `node scripts/packages/install.mjs PROJECT FOLDER`: installs packages that were made into an
// empty project, as a user's npm would, but without a registry.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isMain } from '../is-main.mjs'
import { run } from './run.mjs'
import { main, root, tarballOf } from './set.mjs'

/** Installs the packages of a folder into an empty project. npm takes those of this platform. */
export function installInto(project, packages) {
  const files = readdirSync(packages).filter(name => name.endsWith('.tgz'))
  const platforms = files.filter(name => name !== tarballOf(main.name))
  // What crossmem depends on comes from here, so that no registry is asked.
  run('npm', ['pack', '--silent', '--ignore-scripts', ...dependencies()], { cwd: project })
  const manifest = {
    private: true,
    dependencies: asDependencies([
      resolve(packages, tarballOf(main.name)),
      ...readdirSync(project).map(name => join(project, name)),
    ]),
    optionalDependencies: asDependencies(platforms.map(name => resolve(packages, name))),
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: project })
}

/** The folders of all packages that crossmem needs, also of those that these need. */
function dependencies() {
  const folders = new Map()
  const add = (manifest, folder) => {
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const found = installedFor(folder, name)
      if (folders.get(name) === found) continue
      if (folders.has(name)) throw new Error(`two versions of ${name}: ${folders.get(name)}, ${found}`)
      folders.set(name, found)
      add(JSON.parse(readFileSync(join(found, 'package.json'), 'utf8')), found)
    }
  }
  add(main, root)
  return [...folders.values()]
}

/** Where the package of a folder finds another one. */
function installedFor(folder, name) {
  const found = join(folder, 'node_modules', name)
  return folder === root || existsSync(found) ? found : installedFor(dirname(folder), name)
}

function asDependencies(tarballs) {
  return Object.fromEntries(tarballs.map(file => [nameIn(file), `file:${file}`]))
}

function nameIn(tarball) {
  return JSON.parse(run('tar', ['-xzOf', tarball, 'package/package.json'])).name
}

if (isMain(import.meta.url)) {
  const [project, packages = join(root, 'build', 'packages')] = process.argv.slice(2)
  installInto(resolve(project), packages)
}
