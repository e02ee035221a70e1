export * from './manager.js'
