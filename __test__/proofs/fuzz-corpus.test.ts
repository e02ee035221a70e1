import '../helpers/domain.js'
import ava from 'ava'
import { corpusOf, vary } from '../fuzz/corpus.js'
import { targets } from '../fuzz/targets.js'
import { random } from '../helpers/random.js'

// The targets write to files of shared memory.
const test = process.platform === 'linux' ? ava : ava.skip
const VARIATIONS = 2000

for (const [target, run] of Object.entries(targets)) {
  test(`${target}: inputs that a fuzzer kept, and variations of them, lead to a value or a CrossmemError`, t => {
    const inputs = corpusOf(target)
    const below = random(1)
    const all = [...inputs, ...Array.from({ length: VARIATIONS }, () => vary(inputs, below))]
    for (const input of all) t.notThrows(() => run(input), input.toString('base64'))
  })
}
