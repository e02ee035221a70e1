// `node scripts/packages/platforms.mjs [FOLDER]`: writes npm/, where each package with an addon has
// its package.json and README.md, from package.json. `npm version` runs this, too.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LICENCES, main, platformPackages, platformsFolder } from './set.mjs'

const [folder = platformsFolder] = process.argv.slice(2)
rmSync(folder, { recursive: true, force: true })
for (const wanted of platformPackages) {
  const at = join(folder, wanted.platform)
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, 'package.json'), `${JSON.stringify(manifest(wanted), null, 2)}\n`)
  writeFileSync(join(at, 'README.md'), readme(wanted))
}

function manifest({ name, addon, fields }) {
  const { version, description, keywords, license, engines, homepage, bugs, repository } = main
  return {
    name,
    version,
    description,
    keywords,
    license,
    engines,
    // package.json may have none of these yet; JSON leaves them out then.
    homepage,
    bugs,
    repository,
    ...fields,
    type: 'commonjs',
    main: addon,
    files: [addon, ...LICENCES],
  }
}

function readme({ name, triple }) {
  return `# \`${name}\`

The native addon of \`${main.name}\` for **${triple}**. Install \`${main.name}\`: npm takes the addon for your platform with it.
`
}
