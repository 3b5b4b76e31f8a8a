# Thin over runner-image (bin/runner-image.mjs) and npm; `make` alone shows what there is.
.DEFAULT_GOAL := help
RUN := node bin/runner-image.mjs
VARIANT ?= openshell
PLATFORM ?=
ENGINE ?=
build_flags := $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(ENGINE),--engine $(ENGINE))

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# npm ci only when the lock changed: a second `make` starts at once.
node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@

.PHONY: install
install: node_modules/.installed

.PHONY: setup
setup: install ## install the Debian/Ubuntu packages that demo and test need
	npx --no-install tsx scripts/setup.ts

.PHONY: demo
demo: setup ## the whole pipeline for real, on embedded upstreams (no registry, no GitHub needed)
	npx --no-install tsx scripts/demo.ts

.PHONY: build-runner
build-runner: install ## build the real image (VARIANT=openshell PLATFORM=linux/amd64,linux/arm64 ENGINE=docker|buildx|buildah)
	$(RUN) build $(VARIANT) $(build_flags)

.PHONY: build-runner-openshell
build-runner-openshell: ## build the openshell variant
	$(MAKE) build-runner VARIANT=openshell

.PHONY: test
test: setup ## every test: static checks, unit, integration
	npm run --silent static
	@lab=$$(test -e .lab/lab.json && echo up); RUNNER_IMAGE_NO_SKIPS=1 npx --no-install vitest run; status=$$?; \
	if [ -z "$$lab" ]; then $(RUN) lab down --quiet >/dev/null 2>&1 || true; fi; exit $$status

.PHONY: check
check: install ## types, lint, format, generated files, import rules, unit tests (under a minute)
	npm run --silent check

.PHONY: lint
lint: install ## eslint and the Dockerfile linter
	npx --no-install eslint .
	$(RUN) lint

.PHONY: format
format: install ## rewrite the sources in the project's format
	npx --no-install prettier --write .

.PHONY: bench
bench: setup ## measure speed and memory beside the peers, as ratios
	npm run --silent bench

.PHONY: interop
interop: setup ## fetch the peers that tests and benchmarks compare with: cosign 2 and 3, crane, oras, buildx
	$(RUN) lab tools

.PHONY: doctor
doctor: install ## what this machine lacks, and the command that mends it
	$(RUN) doctor

.PHONY: clean
clean: ## stop the lab and remove everything that was built
	@if [ -d node_modules ]; then $(RUN) lab down || true; fi
	rm -rf dist lib coverage
