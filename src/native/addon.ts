// The only importer of the addon.

import './loading.js'

export * from '../../dist/addon/index.js'
