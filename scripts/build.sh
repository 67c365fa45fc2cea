#!/usr/bin/env bash
# Build the package with colcon against the ROS wheels of .venv, into install/.
# The installed Python files are links to the sources: an edit takes effect at once.
set -euo pipefail

venv=$PWD/.venv
package=build/workspace/depth_estimation_ros
log=build/colcon.log

# colcon gets a folder of links beside the sources: with .venv inside its source directory CMake
# would refuse the include paths that the ROS wheels export.
rm -rf build/workspace
mkdir -p $package
for entry in CMakeLists.txt LICENSE package.xml config depth_estimation_ros launch msg scripts test; do
  ln -s "../../../$entry" "$package/$entry"
done

# Only .venv: a ROS install sourced in the calling shell must not be mixed in.
unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH
export PATH=$venv/bin:$PATH AMENT_PREFIX_PATH=$venv CMAKE_PREFIX_PATH=$venv
if ! colcon --log-base build/log build --base-paths build/workspace --symlink-install \
  --cmake-args "-DPython3_EXECUTABLE=$venv/bin/python" "-DDEPTH_ESTIMATION_VENV=$venv" \
  -DBUILD_TESTING=OFF -Wno-dev >$log 2>&1; then
  tail -n 40 $log >&2
  echo "make: error: colcon build failed; the whole log is $log" >&2
  exit 1
fi
find install -xtype l -delete # links to sources that are gone
