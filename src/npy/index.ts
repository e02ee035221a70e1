export { readNpy, writeNpy } from './file.js'
export { decodeNpyHeader, encodeNpyHeader, LONGEST_HEADER, type NpyHeader } from './header.js'
