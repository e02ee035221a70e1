export * from './map.js'
