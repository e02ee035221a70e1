#!/usr/bin/env bash
# apache-arrow writes numbers outside the range of a half float into a `Float16` vector as other
# numbers: 70000 becomes 2.13, 1e-8 minus infinity, 1e-10 a number half a million times as large.
# IEEE 754 has infinity for the large ones and zero for the small ones, as `Math.f16round` and NumPy
# give them. Inside the range it is right, but for numbers in the middle of two half floats: it rounds
# 2049 up to 2050 instead of to the even one, 2048.
#
# What to do: let a `Float16Array` round, and give its bits to arrow:
# `makeVector(makeData({ type: new Float16(), data: new Uint16Array(halves.buffer) }))`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent apache-arrow@21.2.0 node@26.10.0
cat > halves.mjs <<'END'
import { Float16, vectorFromArray } from 'apache-arrow'

const numbers = [0.1, 65504, 6e-8, 70000, 1e6, 1e-8, 1e-10, 2049]
const vector = vectorFromArray(numbers, new Float16())
for (const [i, number] of numbers.entries()) {
  console.log(`${number}: ${vector.get(i)}, Math.f16round ${Math.f16round(number)}`)
}
END
seen=$(node_modules/.bin/node halves.mjs)
echo "$seen"

expected='0.1: 0.0999755859375, Math.f16round 0.0999755859375
65504: 65504, Math.f16round 65504
6e-8: 5.960464477539063e-8, Math.f16round 5.960464477539063e-8
70000: 2.134765625, Math.f16round Infinity
1000000: 3.814453125, Math.f16round Infinity
1e-8: -Infinity, Math.f16round 0
1e-10: 0.00005316734313964844, Math.f16round 0
2049: 2050, Math.f16round 2048'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
