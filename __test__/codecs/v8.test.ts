import { testClone, testCodec } from '../contracts/codec.js'

testClone('v8')
testCodec('v8')
