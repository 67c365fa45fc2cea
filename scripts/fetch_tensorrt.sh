#!/usr/bin/env bash
# Unpack NVIDIA's Python classes of several TensorRT versions, and their types, for the tests.
#   scripts/fetch_tensorrt.sh PIP... <requirements/tensorrt.txt
set -euo pipefail

folder=.venv/tensorrt
while read -r pin; do
  [[ $pin =~ ^[a-z] ]] || continue
  version=${pin#*==}
  version=${version%%;*}
  [[ $pin == tensorrt-stubs* ]] && version=stubs
  "$@" -qq --no-deps --upgrade --target "$folder/$version" "$pin" </dev/null
done

# What mypy refuses of the stubs: parameters named `in`, and one without a default after others.
sed -i -E 's/\bin: list\[/in_: list[/; s/, channel_axis: int\) -> IScaleLayer/, channel_axis: int = ...) -> IScaleLayer/' \
  $folder/stubs/tensorrt_bindings/tensorrt.pyi
