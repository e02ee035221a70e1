// `node scripts/packages/publish.mjs --tag v1.2.3 --really FOLDER`: publishes the packages in a
// folder from the release workflow, if all of them are complete. The main package comes last, so
// that it never names a package that isn't there yet. Without --really it only says what it would
// publish. Can be repeated: what is published already, with the same content, is left out.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { problems } from './check.mjs'
import { main, platformPackages, root, tarballOf } from './set.mjs'

const { values, positionals } = parseArgs({
  options: { tag: { type: 'string' }, really: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const [folder = join(root, 'build', 'packages')] = positionals

const found = [...problems(folder), ...(values.really ? releaseProblems(values.tag) : [])]
if (found.length > 0) {
  for (const problem of found) console.error(problem)
  console.error('nothing was published')
  process.exit(1)
}
for (const { name, tarball } of [...platformPackages, { name: main.name, tarball: tarballOf(main.name) }]) {
  const file = join(folder, tarball)
  if (!values.really) console.log(`would publish ${tarball}`)
  else if (isPublished(name, file)) console.log(`${tarball} is published already`)
  else npm('publish', file, '--access', 'public', '--provenance')
}

/** What the repository lacks for a release. */
function releaseProblems(tag) {
  const wanted = `v${main.version}`
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  return [
    tag !== wanted && `the tag is ${tag}, and package.json wants ${wanted}`,
    main.repository === undefined && 'package.json has no "repository", which provenance needs',
    !changelog.includes(`\n## [${main.version}]`) && `CHANGELOG.md has no section [${main.version}]`,
  ].filter(Boolean)
}

function isPublished(name, file) {
  const { status, stdout } = spawn('view', `${name}@${main.version}`, 'dist.integrity')
  const published = status === 0 ? stdout.trim() : ''
  if (published === '') return false
  const integrity = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
  if (published === integrity) return true
  console.error(`${name} ${main.version} is published with other content: raise the version`)
  process.exit(1)
}

function npm(...args) {
  const { status, stdout, stderr } = spawn(...args)
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (status !== 0) process.exit(status ?? 1)
}

function spawn(...args) {
  return spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' })
}
