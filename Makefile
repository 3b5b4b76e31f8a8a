# Thin over runner-image (bin/runner-image.mjs) and npm; `make` alone shows what there is.
.DEFAULT_GOAL := help
# The lock pins a Node of its own, linked here: what make starts finds it before the machine's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
RUN := node bin/runner-image.mjs
VARIANT ?= openshell
PLATFORM ?=
ENGINE ?=
RUNNER_SOURCE ?=
build_flags := $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(ENGINE),--engine $(ENGINE)) \
  $(if $(RUNNER_SOURCE),--runner-source "$(RUNNER_SOURCE)")

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# npm ci only when the lock changed: a second `make` starts at once.
node_modules/.installed: package.json package-lock.json .npmrc
	npm ci --no-audit --no-fund
# npm 9 and 10 lose the link when they leave out the package for the other architecture.
	@for node in node_modules/node-linux-*/bin/node; do \
	  if [ -x "$$node" ]; then ln -sf "../$${node#node_modules/}" node_modules/.bin/node; fi; done
	@touch $@

.PHONY: install
install: node_modules/.installed

.PHONY: setup
setup: install ## install the Debian/Ubuntu packages that demo and test need
	@node scripts/setup.ts

.PHONY: demo
demo: setup ## the whole pipeline for real, on embedded upstreams; one line a step, or all with VERBOSE=1
	@node scripts/demo.ts $(if $(VERBOSE),--verbose)

.PHONY: build-runner
build-runner: install ## build the real image (VARIANT=openshell PLATFORM=linux/amd64,linux/arm64 ENGINE=docker|buildx|buildah RUNNER_SOURCE=dir)
	$(RUN) build $(VARIANT) $(build_flags)

.PHONY: build-runner-openshell
build-runner-openshell: ## build the openshell variant
	$(MAKE) build-runner VARIANT=openshell

.PHONY: test
test: setup ## every test: static checks, unit, integration
	node scripts/checks.ts --static
	@lab=$$(test -e .lab/lab.json && echo up); RUNNER_IMAGE_NO_SKIPS=1 vitest run; status=$$?; \
	if [ -z "$$lab" ]; then $(RUN) lab down --quiet >/dev/null 2>&1 || true; fi; exit $$status

.PHONY: check
check: install ## types, lint, format, generated files, import rules, unit tests (under a minute)
	node scripts/checks.ts

.PHONY: lint
lint: install ## eslint and the Dockerfile linter
	eslint .
	$(RUN) lint

.PHONY: format
format: install ## rewrite the sources in the project's format
	prettier --write .

.PHONY: bench
bench: setup ## measure speed and memory beside the peers, as ratios
	node test/bench/run.ts

.PHONY: interop
interop: setup ## fetch the peers that tests and benchmarks compare with: cosign 2 and 3, crane, oras, buildx
	$(RUN) lab tools

.PHONY: doctor
doctor: install ## what this machine lacks, and the command that mends it
	$(RUN) doctor

.PHONY: package
package: install ## pack the command as a tarball that `npm install --global` takes
	npm run --silent package

.PHONY: clean
clean: ## stop the lab and remove everything that was built
	@if [ -d node_modules ]; then $(RUN) lab down || true; fi
	rm -rf dist lib coverage
