import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import test from 'ava'
import { root } from '../helpers/paths.js'

const docs = readdirSync(join(root, 'docs'))
  .filter(name => name.endsWith('.md'))
  .map(name => join('docs', name))
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'CODE_OF_CONDUCT.md',
  ...docs,
]

/** A page without its code blocks: what stands there is neither a link nor a heading. */
const proseOf = (page: string): string =>
  readFileSync(join(root, page), 'utf8').replace(/^(`{3,}).*?^\1$/gms, '')

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): string[] {
  const headings = [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  const anchors = headings.map(heading =>
    heading
      .replace(/\[(.*?)\]\(.*?\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-'),
  )
  return anchors.map((anchor, i) => {
    const earlier = anchors.slice(0, i).filter(other => other === anchor).length
    return earlier === 0 ? anchor : `${anchor}-${earlier}`
  })
}

interface Link {
  text: string
  path: string
  anchor: string | undefined
}

/** The links of a page to files of this repository. */
function linksOf(page: string): Link[] {
  const prose = proseOf(page).replace(/`[^`\n]*`/g, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return targets
    .filter(target => !/^[a-z]+:/.test(target))
    .map(text => {
      const [file, anchor] = text.split('#')
      return { text, path: file ? normalize(join(dirname(page), file)) : page, anchor }
    })
}

for (const page of pages) {
  test(`every link in ${page} leads to a file, and to a heading where it names one`, t => {
    const broken = linksOf(page).filter(
      ({ path, anchor }) =>
        !existsSync(join(root, path)) || (anchor !== undefined && !anchorsOf(path).includes(anchor)),
    )
    t.deepEqual(
      broken.map(({ text }) => text),
      [],
    )
  })
}

test('every page of docs/ can be reached from README.md', t => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    for (const { path } of linksOf(page)) if (pages.includes(path)) reached.add(path)
  }
  t.deepEqual(
    docs.filter(page => !reached.has(page)),
    [],
  )
})

test('docs/errors.md has a section for every error code', t => {
  const codes = readFileSync(join(root, 'src', 'errors.ts'), 'utf8').match(/(?<=\| ')ERR_\w+/g) ?? []
  t.true(codes.length > 0)
  const sections = [...proseOf(join('docs', 'errors.md')).matchAll(/^### (ERR_\w+)$/gm)].map(
    ([, code]) => code,
  )
  t.deepEqual(sections.sort(), [...codes].sort())
})
