export * from './manager/index.js'
