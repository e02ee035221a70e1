#!/usr/bin/env bash
# NumPy writes arrays of the 8-bit floats of ml_dtypes to `.npy` files whose headers name no float.
# Most become raw bytes, `<V1`, and load as such. `float8_e5m2` becomes `<f1`, a type that NumPy
# doesn't have: `numpy.load` refuses the file that `numpy.save` wrote, also with ml_dtypes imported.
#
# What to do: save `array.view('V1')` or `array.view('u1')`, and view the loaded array as the float.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 ml_dtypes==0.6.0

cat > save.py <<'END'
import io
import ml_dtypes
import numpy

for name in ['float8_e4m3fn', 'float8_e5m2']:
    file = io.BytesIO()
    numpy.save(file, numpy.ones(3, getattr(ml_dtypes, name)))
    descr = file.getvalue()[10:].split(b"'")[3].decode()
    file.seek(0)
    try:
        loaded = numpy.load(file).dtype.str
    except ValueError:
        loaded = 'ValueError'
    print(f'{name}: saved as {descr}, loaded as {loaded}')
END
seen=$(venv/bin/python save.py)
echo "$seen"

expected='float8_e4m3fn: saved as <V1, loaded as |V1
float8_e5m2: saved as <f1, loaded as ValueError'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
