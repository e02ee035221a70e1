// `node scripts/packages/install.mjs PROJECT FOLDER`: installs packages that were made into an
// empty project, as a user's npm would, but without a registry.
import { readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isMain } from '../is-main.mjs'
import { run } from './run.mjs'
import { main, root, tarballOf } from './set.mjs'

/** Installs the packages of a folder into an empty project. npm takes those of this platform. */
export function installInto(project, packages) {
  const files = readdirSync(packages).filter(name => name.endsWith('.tgz'))
  const platforms = files.filter(name => name !== tarballOf(main.name))
  // What crossmem depends on comes from here, so that no registry is asked.
  for (const dependency of Object.keys(main.dependencies))
    run('npm', ['pack', '--silent', '--ignore-scripts', join(root, 'node_modules', dependency)], {
      cwd: project,
    })
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
