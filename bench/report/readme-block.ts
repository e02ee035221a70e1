import { duration, figures } from '../harness/format.js'
import { comparisons } from './comparisons.js'
import type { Results } from './results.js'

export const BEGIN = '<!-- bench:begin, written by npm run bench -->'
export const END = '<!-- bench:end -->'

/** README.md with the figures of a run between its two markers. */
export function withBlock(readme: string, results: Results): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`README.md lacks ${BEGIN} … ${END}`)
  return `${readme.slice(0, begin + BEGIN.length)}\n\n${block(results)}\n\n${readme.slice(end)}`
}

function block(results: Results): string {
  const all = comparisons(results)
  const slower = all.filter(({ ours, peer }) => peer.median < ours.median)
  const of = (wanted: string): string => results.machine.find(([name]) => name === wanted)?.[1] ?? 'unknown'
  const plots = results.sections.flatMap(({ curves }) => curves ?? [])
  return [
    `Measured on ${of('CPU')}, ${of('memory')}, ${of('kernel')}, Node ${of('Node')}, on ${of('date').slice(0, 10)}. A figure is the time of one ` +
      'message, round trip or call: the median of samples that were taken of all peers in turn. The last column is the speed of ' +
      "crossmem as a multiple of the peer's: below 1, the peer is faster.",
    '',
    '| | crossmem | time | peer | time | × |',
    '| --- | --- | ---: | --- | ---: | ---: |',
    ...all.map(
      ({ what, ours, peer }) =>
        `| ${what} | ${ours.name.replace(/^crossmem: /, '')} | ${duration(ours.median)} | ${peer.name} | ${duration(peer.median)} | ${figures(peer.median / ours.median)}× |`,
    ),
    '',
    `The peer is faster in ${slower.length} of these ${all.length} rows.`,
    '',
    ...plots.flatMap(({ id, title }) => [`![${title}](bench/${id}.svg)`, '']),
    'All results, and what exactly was measured: [bench/RESULTS.md](bench/RESULTS.md).',
  ].join('\n')
}
