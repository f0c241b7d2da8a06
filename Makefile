# Everything here sets itself up: Go fetches its own toolchain and the pinned
# tools of tools/*/go.mod, and browser tests get Chromium where they may.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export GOTOOLCHAIN := auto

GO        ?= go
TOOL      := $(GO) tool -modfile=tools/lint/go.mod
TESTFLAGS ?=
FUZZTIME  ?= 5s
# Flags for the program: make demo ARGS="--dir=/tmp/demo".
ARGS      ?=

.PHONY: help demo serve build test simulate check bench fuzz fmt lint generate screenshots clean \
	check-format check-race check-tidy check-vulnerabilities check-types

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: ## run the demo: the product, sandbox vendors, made-up customers
	@$(GO) run . demo $(ARGS)

serve: ## run the product with the data in pb_data
	@$(GO) run . serve $(ARGS)

build: ## build the static binary bin/ezscale
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/ezscale .

test: ## run every test, those in a real browser too
	@tools/ensure-chromium.sh
	$(GO) test -timeout 20m $(TESTFLAGS) ./...

simulate: ## play three years of business in bad weather, for ten seeds, and prove the books (docs/simulation.md)
	@tools/simulate.sh $(ARGS)

check: check-format lint check-tidy check-types check-race fuzz check-vulnerabilities ## run all that a change must pass, after test
	@echo "check: passed"

check-format:
	@changed=$$($(TOOL) gofumpt -l .); \
	if [ -n "$$changed" ]; then echo "not formatted (make fmt):"; echo "$$changed"; exit 1; fi

lint: ## vet and lint
	$(GO) vet ./...
	$(TOOL) golangci-lint run ./...

check-tidy:
	$(GO) mod tidy -diff

check-types:
	@tools/types.sh

check-race:
	@tools/race.sh

fuzz: ## fuzz each target for FUZZTIME
	@tools/fuzz.sh $(FUZZTIME)

check-vulnerabilities:
	@tools/vulnerabilities.sh

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -timeout 30m $(TESTFLAGS) ./...

fmt: ## format the Go code
	$(TOOL) gofumpt -l -w .

generate: ## write the generated files anew
	$(GO) generate ./...

screenshots: ## take the pictures of docs/ anew, in a real browser
	@tools/ensure-chromium.sh
	EZSCALE_SCREENSHOTS="$(CURDIR)/docs/screenshots" $(GO) test -count=1 -run '^TestScreenshots$$' $(TESTFLAGS) ./internal/e2e/...

clean: ## remove what was built; data stays
	rm -rf bin .cache coverage.out
