#!/usr/bin/env bash
# Node's documentation says of `v8.serialize` that its format is backward-compatible, and safe to
# store to disk. An error with a cause that Node 20 wrote is refused by Node 22, 24 and 26, whose
# V8 lays out errors in another way under the same version number. An error without a cause is read.
#
# What to do: don't store errors with `v8.serialize`, or send them to another version of Node. Take
# them apart first: name, message, stack, cause.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

node_of() { echo "$folder/$1/node_modules/.bin/node"; }
for version in 20.20.2 22.23.3 24.21.0 26.10.0; do
  mkdir "$folder/$version"
  echo '{}' > "$folder/$version/package.json"
  (cd "$folder/$version" && npm install --no-audit --no-fund --silent "node@$version")
done

write='const v8 = require("node:v8")
const error = new Error("outer", { cause: "inner" })
require("node:fs").writeFileSync(process.argv[1], v8.serialize(error))
require("node:fs").writeFileSync(process.argv[2], v8.serialize(new Error("alone")))
console.log(`${process.version} wrote format version ${v8.serialize(error)[1]}`)'
read='const v8 = require("node:v8")
const result = file => {
  try {
    return `"${v8.deserialize(require("node:fs").readFileSync(file)).message}"`
  } catch (error) {
    return error.message
  }
}
console.log(`${process.version} reads, with a cause: ${result(process.argv[1])}; without: ${result(process.argv[2])}`)'

seen=$(
  "$(node_of 20.20.2)" -e "$write" "$folder/caused" "$folder/alone"
  for version in 20.20.2 22.23.3 24.21.0 26.10.0; do
    "$(node_of "$version")" -e "$read" "$folder/caused" "$folder/alone"
  done
)
echo "$seen"

expected='v20.20.2 wrote format version 15
v20.20.2 reads, with a cause: "outer"; without: "alone"
v22.23.3 reads, with a cause: Unable to deserialize cloned data.; without: "alone"
v24.21.0 reads, with a cause: Unable to deserialize cloned data.; without: "alone"
v26.10.0 reads, with a cause: Unable to deserialize cloned data.; without: "alone"'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
