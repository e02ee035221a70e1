// `node scripts/packages/check.mjs FOLDER`: whether a folder has all packages of a release, each
// complete and for its own platform. Looks at the very files that are published.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isMain } from '../is-main.mjs'
import { platformOf } from './binary.mjs'
import { LICENCES, main, platformPackages, tarballOf } from './set.mjs'

/**
 * What is wrong with the packages in a folder, one sentence each; empty if they can be published.
 *
 * @param {string} folder
 * @param {import('./set.mjs').PlatformPackage[]} [expected] the packages with addons
 */
export function problems(folder, expected = platformPackages) {
  const tarballs = [tarballOf(main.name), ...expected.map(({ tarball }) => tarball)]
  const strays = readdirSync(folder).filter(name => name.endsWith('.tgz') && !tarballs.includes(name))
  return [
    ...strays.map(name => `${name} is not a package of ${main.name} ${main.version}`),
    ...expected.flatMap(wanted => inside(folder, wanted.tarball, at => platformProblems(at, wanted))),
    ...inside(folder, tarballOf(main.name), at => mainProblems(at, expected)),
  ]
}

/** The problems that `look` finds in an unpacked package, each with the name of the file. */
function inside(folder, tarball, look) {
  const file = resolve(folder, tarball)
  if (!existsSync(file)) return [`${tarball} is missing`]
  const unpacked = mkdtempSync(join(tmpdir(), 'crossmem-check-'))
  try {
    const { status } = spawnSync('tar', ['-xzf', file], { cwd: unpacked })
    if (status !== 0) return [`${tarball} can't be unpacked`]
    return look(join(unpacked, 'package')).map(problem => `${tarball}: ${problem}`)
  } finally {
    rmSync(unpacked, { recursive: true })
  }
}

function platformProblems(at, { name, addon, platform, fields }) {
  const manifest = manifestOf(at)
  const { version, license, engines, repository } = main
  const found = wrongFields(manifest, {
    name,
    version,
    license,
    engines,
    repository,
    main: addon,
    ...fields,
  })
  for (const file of [...LICENCES, 'README.md'])
    if (!existsSync(join(at, file))) found.push(`${file} is missing`)
  if (!existsSync(join(at, addon))) return [...found, `${addon} is missing`]
  const builtFor = platformOf(readFileSync(join(at, addon)))
  if (builtFor !== platform) found.push(`${addon} was built for ${builtFor ?? 'no platform that is known'}`)
  return found
}

function mainProblems(at, expected) {
  const manifest = manifestOf(at)
  const optionalDependencies = Object.fromEntries(expected.map(({ name }) => [name, main.version]))
  const { name, version, repository } = main
  const found = wrongFields(manifest, { name, version, repository, optionalDependencies })
  const entries = [...pathsIn(manifest.exports), ...pathsIn(manifest.bin), manifest.main, manifest.types]
  for (const file of [...new Set(entries), 'dist/addon/index.js', 'README.md', ...LICENCES])
    if (!existsSync(join(at, file))) found.push(`${file} is missing`)
  for (const file of readdirSync(at, { recursive: true }))
    if (file.endsWith('.node')) found.push(`${file} belongs into the package of its platform`)
  return found
}

function manifestOf(at) {
  return JSON.parse(readFileSync(join(at, 'package.json'), 'utf8'))
}

function wrongFields(manifest, expected) {
  return Object.entries(expected)
    .filter(([field, value]) => !isDeepStrictEqual(manifest[field], value))
    .map(
      ([field, value]) =>
        `${field} is ${JSON.stringify(manifest[field])} instead of ${JSON.stringify(value)} in package.json`,
    )
}

/** The paths in `exports` or `bin`, however deep. */
function pathsIn(value) {
  return typeof value === 'string' ? [value] : Object.values(value).flatMap(pathsIn)
}

if (isMain(import.meta.url)) {
  const [folder = 'build/packages'] = process.argv.slice(2)
  const found = problems(folder)
  for (const problem of found) console.error(problem)
  if (found.length > 0) process.exitCode = 1
  else console.log(`${platformPackages.length + 1} packages of ${main.name} ${main.version} are complete`)
}
