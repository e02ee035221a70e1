// Links in the pages of the package that lead to files which only the repository has. On the
// page of the package, and in node_modules, they would be dead.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'
import { main } from './set.mjs'

/** A block of code, code in a line, or a link or picture; only the last has groups. */
const CODE_OR_LINK = /^(`{3,}).*?^\1$|`[^`\n]+`|(?<picture>!?)\[(?<text>[^\]]*)\]\((?<target>[^)\s]+)\)/gms

/** Makes these links lead to the repository, at the tag of the version; or plain text, if there is none. */
export function mendLinks(folder) {
  for (const page of readdirSync(folder, { recursive: true }).filter(path => path.endsWith('.md'))) {
    const file = join(folder, page)
    const mended = readFileSync(file, 'utf8').replace(CODE_OR_LINK, (whole, ...rest) => {
      const { picture, text, target } = rest.at(-1)
      if (target === undefined || /^([a-z]+:|#)/.test(target)) return whole
      const [path, anchor] = target.split('#')
      const wanted = posix.join(dirname(page).split(sep).join('/'), path)
      if (existsSync(join(folder, wanted))) return whole
      const address = addressOf(wanted, picture ? 'raw' : 'blob')
      if (address === undefined) return picture ? '' : text
      return `${picture}[${text}](${address}${anchor === undefined ? '' : `#${anchor}`})`
    })
    writeFileSync(file, mended)
  }
}

/** Where a file of the repository is on its website; undefined while package.json names none. */
function addressOf(path, view) {
  const url = main.repository?.url?.replace(/^git\+/, '').replace(/\.git$/, '')
  return url && `${url}/${view}/v${main.version}/${path}`
}
