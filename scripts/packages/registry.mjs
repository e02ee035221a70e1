// A registry on this machine that has the packages in a folder, and passes on everything else from
// the registry that npm uses. So a package manager installs them as it will once they are published.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { run } from './run.mjs'

/** Serves the packages of a folder until `close()`. */
export async function serve(folder) {
  const upstream = run('npm', ['config', 'get', 'registry']).trim()
  const server = createServer((request, response) => {
    answer(request, response).catch(error => response.writeHead(502).end(String(error)))
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const url = `http://127.0.0.1:${server.address().port}`
  const files = readdirSync(folder).filter(file => file.endsWith('.tgz'))
  const packages = new Map(readPackages(folder, files, url).map(({ name, ...found }) => [name, found]))
  return { url, close: () => server.close() }

  async function answer({ url: path, headers }, response) {
    const name = decodeURIComponent(path.slice(1))
    if (files.includes(name)) return response.end(readFileSync(join(folder, name)))
    const ours = packages.get(name)
    if (ours) return response.writeHead(200, { 'content-type': 'application/json' }).end(ours.document)
    const { accept = '*/*' } = headers
    const found = await fetch(new URL(path.slice(1), upstream), { headers: { accept } })
    const type = found.headers.get('content-type') ?? 'application/json'
    response.writeHead(found.status, { 'content-type': type })
    return response.end(Buffer.from(await found.arrayBuffer()))
  }
}

/** What a registry says of each package. */
function readPackages(folder, files, url) {
  return files.map(file => {
    const manifest = JSON.parse(run('tar', ['-xzOf', join(folder, file), 'package/package.json']))
    const { name, version } = manifest
    const bytes = readFileSync(join(folder, file))
    const hash = (algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding)
    const dist = {
      tarball: `${url}/${file}`,
      integrity: `sha512-${hash('sha512', 'base64')}`,
      shasum: hash('sha1', 'hex'),
    }
    const document = JSON.stringify({
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, dist } },
      // Some managers wait some days before they install a new version.
      time: { created: '2020-01-01T00:00:00Z', [version]: '2020-01-01T00:00:00Z' },
    })
    return { name, document }
  })
}
