# Everything a person types while working on Iotistic Edge. Bare `make` lists it.
.DEFAULT_GOAL := help
.PHONY: help setup run test test-full check format generate bench image clean
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
ARGS ?=

help: ## Show this list
	@echo "Iotistic Edge: runs container Apps on edge devices and keeps them running."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'
	@echo
	@echo "New here?  make run     then, in a second terminal:  source .run/env && iotctl get apps"

setup: .venv/.ready ## Fill .venv with the agent, the operator, iotctl and the tools (other targets do it by themselves)

.venv/.ready: pyproject.toml hack/setup
	@hack/setup

run: .venv/.ready ## Run an agent here with examples/hello.yaml, on Docker or simulated; Ctrl-C ends it
	@$(BIN)/python hack/run

test: .venv/.ready ## Run all tests, on a real Docker engine where one may be had; ARGS="-k web" picks some
	@hack/test $(ARGS)

test-full: .venv/.ready ## Run all tests in their long forms (every cut point on every engine)
	@IOTISTIC_FULL=1 hack/test $(ARGS)

check: .venv/.ready ## Check format, lint, layers, types and generated files; under 30 s
	@hack/check

format: .venv/.ready ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

generate: .venv/.ready ## Make the generated parts of the docs again
	@$(BIN)/python hack/generate

bench: .venv/.ready ## Measure the product's figures against their bars (about half an hour); ARGS="--only answers" picks parts
	@hack/bench $(ARGS)

image: .venv/.ready ## Build the container image iotistic-edge:dev (no registry needed)
	@hack/image

clean: ## Remove what was built, measured or cached here; .run (an agent's data) stays
	rm -rf .venv .cache dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find operator iotctl tests hack -name __pycache__ -type d -prune -exec rm -rf {} +
