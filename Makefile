# The front door. `make` alone explains itself.
#
# A target's help is the text behind its "##"; what it may be told is in `make help`, too.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

LOG ?=
ARGS ?=
FUZZ_SECONDS ?= 600

.PHONY: help run build windows test test-windows package-windows test-tsan test-faults stack telegraf test-stack bench bench-stack fuzz format lint clean setup-run build-release

help: ## this page
	@setup/help.sh $(firstword $(MAKEFILE_LIST))

run: build-release ## the dashboard on a sample log, or on yours: LOG="GPU-Z Sensor Log.txt", ARGS="--port 0"
	@setup/run.sh "$(LOG)" $(ARGS)

build: build-release ## the program, at build/gpulse

windows: ## gpulse.exe, at build/windows/gpulse.exe
	@setup/setup.sh run windows
	@setup/step.sh "build windows" setup/build.sh windows gpulse
	@echo "  build/windows/gpulse.exe, with debug information; make package-windows packs it without"

package-windows: windows ## a zip and an installer of it, in build/windows/package
	@setup/package_windows.sh

test: ## every test: release, address sanitizer, page, short fuzzing
	@setup/test.sh

test-tsan: ## the tests under the thread sanitizer
	@setup/test_tsan.sh

test-windows: ## gpulse.exe and its tests under Wine
	@setup/test_windows.sh

test-faults: ## kill gpulse, gpulse.exe and the servers many times over
	@setup/test_faults.sh

stack: ## Kafka, InfluxDB and Prometheus, which deploy/stack starts
	@setup/stack.sh

telegraf: ## Telegraf, which the sink is compared with
	@setup/stack.sh telegraf

test-stack: ## the real-time path on its real servers
	@setup/test_stack.sh

bench: build-release windows ## the benchmarks against DuckDB and the Prometheus node exporter
	@setup/setup.sh run bench test-windows
	@setup/step.sh "build bench" setup/build.sh release parse_driver
	@bench/run_all.sh

bench-stack: build-release ## the real-time path on its real servers, against kcat and Telegraf
	@setup/setup.sh run test test-stack
	@setup/stack.sh
	@setup/stack.sh telegraf
	@mkdir -p build/bench
	@python3 bench/stack_bench.py | tee build/bench/stack.md

fuzz: ## fuzz every reader of outside bytes, each for FUZZ_SECONDS=600
	@setup/setup.sh run test
	@setup/step.sh "build fuzz" setup/build.sh fuzz fuzzers
	@fuzz/run_all.sh $(FUZZ_SECONDS)

format: ## rewrite the sources in the project's style
	@setup/setup.sh lint
	@git ls-files -z --cached --others --exclude-standard '*.cpp' '*.h' | xargs -0 clang-format-19 -i

lint: ## style, clang-tidy, the page's types, shell scripts
	@setup/setup.sh run test lint
	@setup/step.sh "build release" setup/build.sh release
	@setup/lint.sh

clean: ## remove everything in build/, and the built page
	@rm -rf build web/dist

setup-run:
	@setup/setup.sh run

build-release: setup-run
	@setup/step.sh "build release" setup/build.sh release gpulse
	@ln -sfn release/src/cli/gpulse build/gpulse
