#!/usr/bin/env bash
# Makes the virtual environment VENV with PYTHON; on a bare Debian that first needs the package python3-venv.
set -euo pipefail
python=${1:?usage: venv.sh PYTHON VENV}
venv=${2:?usage: venv.sh PYTHON VENV}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Offhook needs Python 3.11 or newer; $("$python" --version 2>&1) is too old: make PYTHON=python3.11 ..." >&2
    exit 2
}
[ -x "$venv/bin/pip" ] && exit 0
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "Python lacks ensurepip. Install it as root: apt-get update && apt-get install -y $package" >&2
        exit 2
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
fi
"$python" -m venv "$venv"
