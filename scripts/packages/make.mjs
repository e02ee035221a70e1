// `npm run packages -- --addons FOLDER`: makes the packages of a release of what is built in
// dist/, and of the addons for all targets, which lie somewhere in FOLDER (dist/addon by default).
// It publishes nothing.
//   --into FOLDER  where the packages go; build/packages by default
//   --partial      only the packages of the addons that are there, and a main package that names
//                  no others: to try on this machine what users get
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { isMain } from '../is-main.mjs'
import { problems } from './check.mjs'
import { mendLinks } from './links.mjs'
import { run } from './run.mjs'
import { LICENCES, main, platformPackages, platformsFolder, root, tarballOf } from './set.mjs'

/** Makes the packages, and throws if one of them isn't complete. Returns their files' names. */
export function makePackages({ addons, into, partial = false }) {
  const built = new Set(readdirSync(addons, { recursive: true }).map(path => basename(path)))
  const wanted = partial ? platformPackages.filter(({ addon }) => built.has(addon)) : platformPackages
  mkdirSync(into, { recursive: true })
  for (const old of readdirSync(into).filter(isPackage)) rmSync(join(into, old))
  const stage = mkdtempSync(join(into, 'stage-'))
  try {
    const files = fill(stage, resolve(addons), wanted)
    for (const folder of files)
      run('npm', ['pack', '--silent', '--pack-destination', resolve(into)], { cwd: folder })
  } finally {
    rmSync(stage, { recursive: true })
  }
  const found = problems(into, wanted)
  if (found.length > 0) throw new Error(found.join('\n'))
  return [...wanted.map(({ tarball }) => tarball), tarballOf(main.name)]
}

/** Whether a file is a package of this project, of any version. */
const isPackage = file => file.startsWith(main.name) && file.endsWith('.tgz')

/** Lays out the packages as folders: the main one, with the others in its folder `npm`. */
function fill(stage, addons, wanted) {
  run('npm', ['pack', '--silent', '--pack-destination', stage], { cwd: root })
  run('tar', ['-xzf', tarballOf(main.name)], { cwd: stage })
  const folder = join(stage, 'package')
  mendLinks(folder)
  edit(folder, manifest => {
    manifest.napi.targets = wanted.map(({ triple }) => triple)
  })
  const platforms = wanted.map(({ platform, addon }) => {
    const platformFolder = join(folder, 'npm', platform)
    cpSync(join(platformsFolder, platform), platformFolder, { recursive: true })
    cpSync(find(addons, addon), join(platformFolder, addon))
    for (const licence of LICENCES) cpSync(join(root, licence), join(platformFolder, licence))
    return platformFolder
  })
  napi(['pre-publish', '--skip-optional-publish', '--no-gh-release'], folder)
  return [...platforms, folder]
}

/** The one file of that name in a folder, however deep. */
function find(folder, name) {
  const found = readdirSync(folder, { recursive: true }).filter(path => basename(path) === name)
  if (found.length !== 1) {
    const what = found.length === 0 ? 'no file' : `${found.length} files`
    throw new Error(`${folder} has ${what} of the name ${name}; it must have one`)
  }
  return join(folder, found[0])
}

function edit(folder, change) {
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  change(manifest)
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
}

function napi(args, cwd) {
  run(process.execPath, [join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js'), ...args], { cwd })
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      addons: { type: 'string', default: join(root, 'dist', 'addon') },
      into: { type: 'string', default: join(root, 'build', 'packages') },
      partial: { type: 'boolean' },
    },
  })
  try {
    for (const file of makePackages(values)) console.log(join(values.into, file))
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}
