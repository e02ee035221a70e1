#!/usr/bin/env bash
# NumPy takes `datetime64[0s]`, a unit of no seconds. Such an array can be saved and loaded. It can't
# be printed: NumPy looks for a common divisor of its units and raises an OverflowError.
#
# What to do: check the number of a unit before you make a dtype of it. A reader of `.npy` files may
# meet a zero there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6

cat > zero.py <<'END'
import io
import numpy

file = io.BytesIO()
numpy.save(file, numpy.array([1, 2]).view('M8[0s]'))
file.seek(0)
loaded = numpy.load(file)
print('loaded as', loaded.dtype)
try:
    str(loaded)
except OverflowError as error:
    print('printed: OverflowError')
END
seen=$(venv/bin/python zero.py)
echo "$seen"

expected='loaded as datetime64[0s]
printed: OverflowError'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
