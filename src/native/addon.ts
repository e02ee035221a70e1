// The only importer of the addon.

export * from '../../dist/addon/index.js'
