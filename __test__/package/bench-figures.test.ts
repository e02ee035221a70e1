import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ava from 'ava'
import { BEGIN, END, withBlock } from '../../bench/report/readme-block.js'
import { filesOf, type Results } from '../../bench/report/results.js'
import { root } from '../helpers/paths.js'

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')

const results = JSON.parse(read('bench', 'results.json')) as Results

ava('the results are those of a whole run', t => {
  t.false(results.quick)
  t.true(results.sections.length > 10)
})

ava('the results page and its plots show the figures that were measured', t => {
  const files = filesOf(results)
  for (const [name, contents] of files) t.is(read('bench', name), contents, name)
  const plots = readdirSync(join(root, 'bench')).filter(name => name.endsWith('.svg'))
  for (const plot of plots) {
    t.true(files.has(plot), `${plot} is of no section`)
    t.true(files.get('RESULTS.md')?.includes(`](${plot})`), `RESULTS.md doesn't show ${plot}`)
  }
})

ava('no name of a line lies over another one', t => {
  for (const { id, lines } of results.sections.flatMap(({ curves }) => curves ?? [])) {
    const texts = read('bench', `${id}.svg`).matchAll(/<text class="n\d+" x="[\d.]+" y="([\d.]+)">/g)
    const heights = [...texts].map(([, y]) => Number(y)).sort((a, b) => a - b)
    t.is(heights.length, lines.length, id)
    for (const [i, height] of heights.slice(1).entries()) t.true(height - (heights[i] as number) > 16, id)
  }
})

ava('the figures and plots of the README are those of the results', t => {
  const readme = read('README.md')
  t.is(readme, withBlock(readme, results))
  for (const [, plot] of readme.matchAll(/!\[[^\]]*\]\((bench\/[^)]+)\)/g))
    t.notThrows(() => read(plot as string))
})

/**
 * What speed is stated in: nanoseconds and microseconds, multiples, and rates. Milliseconds and
 * seconds that other pages name are time-outs and intervals, which the code sets.
 */
const FIGURE =
  /\d\s?(ns|µs|us|nanoseconds?|microseconds?)\b|\d\s?×|×\s?\d|\d(\.\d+)? times (as|faster|slower|longer|less|more)|\d\S* [\w ]{0,20}(a|per) second\b|\d\s?[kMGT]i?B\/s|\d\s?%\s(faster|slower|less|more)/i

/** A page without its examples, and without what the bench wrote. */
const prose = (page: string): string =>
  read(page)
    .replace(new RegExp(`${BEGIN}.*?${END}`, 's'), '')
    .replace(/```.*?```/gs, '')

ava('the rule for figures of speed knows one', t => {
  const stated = [
    'in 300 ns',
    'takes 2.5 µs',
    '8× the throughput',
    'is 3 times faster',
    '20 times as fast',
    '1,000,000 messages per second',
    '2 GB/s',
    '30 % faster',
  ]
  for (const figure of stated) t.regex(figure, FIGURE)
  for (const other of ['looks every 50 ms', 'for 10 seconds', '64 bytes', 'two 24-bit numbers']) {
    t.notRegex(other, FIGURE)
  }
})

const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs')).map(name => join('docs', name)),
]

for (const page of PAGES) {
  ava(`${page} states no figure of speed that the bench did not write`, t => {
    t.deepEqual(
      prose(page)
        .split('\n')
        .filter(line => FIGURE.test(line)),
      [],
    )
  })
}
