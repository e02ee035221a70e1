import test from 'ava'
import { pythonBytes, pythonString } from '../../src/nd/python-string.js'

test("strings and bytes are written as Python's repr does", t => {
  t.is(pythonString('a b'), "'a b'")
  t.is(pythonString("it's"), `"it's"`)
  t.is(pythonString(`'"`), `'\\'"'`)
  t.is(pythonString('\\\n\r\t\0\x7f\xa0é漢😀'), "'\\\\\\n\\r\\t\\x00\\x7f\\xa0é漢😀'")
  t.is(pythonString('\u200b\ue000\ud800\u{e0001}'), "'\\u200b\\ue000\\ud800\\U000e0001'")
  t.is(pythonBytes('a\xe9\0'), "b'a\\xe9\\x00'")
})
