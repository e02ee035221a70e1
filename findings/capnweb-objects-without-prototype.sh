#!/usr/bin/env bash
# capnweb refuses objects without a prototype, and its message can't say what it refused. Node
# makes such objects in places where a server takes its answers from: rows of `node:sqlite`,
# `querystring.parse`, the named groups of a regular expression. A method that returns one of them
# works when it is called directly and fails over the session.
#
# What to do: return a copy with a prototype, `{ ...row }`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent capnweb@0.12.0 node@24.21.0
cat > rows.mjs <<'END'
import { parse } from 'node:querystring'
import { DatabaseSync } from 'node:sqlite'
import { newMessagePortRpcSession, RpcTarget } from 'capnweb'

const database = new DatabaseSync(':memory:')
database.exec("create table users (id integer, name text); insert into users values (1, 'Ada')")
class Server extends RpcTarget {
  row() {
    return database.prepare('select * from users').get()
  }
  copyOfRow() {
    return { ...this.row() }
  }
  query() {
    return parse('page=2')
  }
  groups() {
    return /(?<year>\d+)/.exec('in 2026').groups
  }
}
const { port1, port2 } = new MessageChannel()
newMessagePortRpcSession(port1, new Server())
const server = newMessagePortRpcSession(port2)
for (const method of ['row', 'copyOfRow', 'query', 'groups']) {
  const answer = await server[method]().then(JSON.stringify, error => `${error.name}: ${error.message}`)
  console.log(`${method}: ${answer}`)
}
process.exit()
END
seen=$(node_modules/.bin/node --no-warnings rows.mjs)
echo "$seen"

expected="row: TypeError: Cannot serialize value: (couldn't stringify value)
copyOfRow: {\"id\":1,\"name\":\"Ada\"}
query: TypeError: Cannot serialize value: (couldn't stringify value)
groups: TypeError: Cannot serialize value: (couldn't stringify value)"
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
