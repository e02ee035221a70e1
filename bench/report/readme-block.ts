import { duration, figures } from '../harness/format.js'
import { NOISY } from '../harness/statistics.js'
import { comparisons } from './comparisons.js'
import { intervalOf, type Results } from './results.js'

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
  const slower = all.filter(({ ratio }) => (ratio.interval?.high ?? ratio.median) < 1)
  const undecided = all.filter(
    ({ ratio: { interval } }) => interval && interval.low <= 1 && interval.high >= 1,
  )
  const of = (wanted: string): string => results.machine.find(([name]) => name === wanted)?.[1] ?? 'unknown'
  const plots = results.sections.flatMap(({ curves }) => curves ?? [])
  return [
    `Measured on ${of('CPU')}, ${of('memory')}, ${of('kernel')}, Node ${of('Node')}, on ${of('date').slice(0, 10)}. A figure is the time of one ` +
      'message, round trip or call: the median of slices that were taken of all peers in turn. “×” is the speed of crossmem as ' +
      "a multiple of the peer's, by pairs of slices: below 1, the peer is faster. The last column is its 95 % confidence " +
      `interval; “noisy” marks an interval wider than a factor of ${NOISY}.`,
    '',
    '| | crossmem | time | peer | time | × | interval of × |',
    '| --- | --- | ---: | --- | ---: | ---: | ---: |',
    ...all.map(
      ({ what, ours, peer, ratio }) =>
        `| ${what} | ${ours.name.replace(/^crossmem: /, '')} | ${duration(ours.median)} | ${peer.name} | ${duration(peer.median)} | ${figures(ratio.median)}× | ${intervalOf(ratio)} |`,
    ),
    '',
    `The peer is faster in ${slower.length} of these ${all.length} rows; in ${undecided.length} more the interval contains 1, so neither is known to be faster.`,
    '',
    ...plots.flatMap(({ id, title }) => [`![${title}](bench/${id}.svg)`, '']),
    'All results, and what exactly was measured: [bench/RESULTS.md](bench/RESULTS.md).',
  ].join('\n')
}
