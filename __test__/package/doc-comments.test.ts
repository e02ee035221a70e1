import test from 'ava'
import { publicApi } from '../helpers/declarations.js'

test('every exported name and every public member has a sentence, not only tags', t => {
  const bare = publicApi().filter(({ texts }) => texts.some(text => text.trim() === ''))
  t.deepEqual(
    bare.map(({ name }) => name),
    [],
  )
})
