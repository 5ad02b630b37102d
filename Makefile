# make test is what a new clone runs, and what CI runs first. make help lists the rest.

GO ?= go
SHELL := bash

# The race detector needs a C compiler; without one the tests run all the same.
RACE := $(if $(shell command -v $$($(GO) env CC) 2>/dev/null),-race)

# Packages with goroutines, where one green run proves little.
CONCURRENT := ./grants/ledger/... ./bot/... ./integrations/emulators/... ./integrations/pagerduty ./integrations/token/... ./integrations/webhook ./cmd/nightlatch/life
# Those whose nights are long: make test has run them with the race detector, and they run once more without it.
LONG := ./grants/service ./cmd/nightlatch/wiring
REPEAT := 2

# Deaths and random lives, which are many already. Under the race detector they are thinned.
LIVES := TestCrashMatrix|TestSimulation

# Parsers of what others send, as package:target:time. What anybody can send gets most.
FUZZ := \
	./cmd/nightlatch/config:FuzzConfig:10s \
	./bot/socket:FuzzCommand:10s \
	./bot/socket:FuzzEnvelope:10s \
	./integrations/pagerduty:FuzzAnswer:3s \
	./integrations/token:FuzzIntrospect:3s \
	./integrations/token:FuzzScopes:3s \
	./integrations/token/verify:FuzzPath:3s \
	./integrations/token/verify:FuzzToken:3s

FUZZ_FACTOR := 1

# Where packages from npm are installed that tests run against: programs by others, as far from ours as can be.
NPM_DIRS := \
	integrations/emulators/slackemu/testdata/bolt \
	integrations/token/verify/testdata/jose

# What some tests run besides Go, as command:Debian packages.
TOOLS := systemd-analyze:systemd kubectl:kubernetes-client chromium:chromium+fonts-dejavu-core+fonts-noto-color-emoji pg_ctlcluster:postgresql

# Directories that begin with a dot are not in ./...
CI_PACKAGES := ./.ci/faults

.PHONY: help playground test tools npm lint repeat prove deaths campaign fuzz faults bench tidy build story

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1: /p' Makefile

playground: ## a page on which one lives through a night; needs no account
	$(GO) run ./cmd/playground

test: tools npm ## every test, once, with the race detector where there is a C compiler
	@echo "Testing everything$(if $(RACE), with the race detector)."
	@$(if $(NIGHTLATCH_CONFORMANCE),echo "Published schemas: $(NIGHTLATCH_CONFORMANCE)",echo "NIGHTLATCH_CONFORMANCE is not set: tests against the published schemas are skipped.")
	$(GO) test $(RACE) -shuffle=on ./...

# At a desk without npm, or without a network, the tests that need it are skipped and say so; CI fails.
npm: ## what NPM_DIRS name; installs npm itself only as root on Debian
	@if ! command -v npm >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm; \
	fi; \
	if ! command -v npm >/dev/null; then \
		echo "There is no npm, so some tests are skipped. On Debian: apt-get install nodejs npm"; \
		test -z "$$CI"; exit; \
	fi; \
	for dir in $(NPM_DIRS); do \
		test $$dir/node_modules/.package-lock.json -nt $$dir/package-lock.json && continue; \
		echo "Installing what $$dir names."; \
		(cd $$dir && npm ci --no-audit --no-fund --ignore-scripts) && continue; \
		echo "It could not be installed, so its tests are skipped."; \
		test -z "$$CI" || exit 1; \
	done

tools: ## what tests run besides Go; says what is missing, and installs it for root on Debian
	@for tool in $(TOOLS); do \
		command -v $${tool%%:*} >/dev/null && continue; \
		install="apt-get install --yes --no-install-recommends $$(echo $${tool#*:} | tr + " ")"; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "$$install"; apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$install >/dev/null || exit 1; \
		else \
			echo "$${tool%%:*} is missing, so tests that run it are skipped. On Debian: $$install"; \
		fi; \
	done

lint: ## formatting, vet, fixes, staticcheck
	@echo "Formatting:"; out=$$($(GO) tool gofumpt -l .) && test -z "$$out" || { echo "not gofumpt-ed:"; echo "$$out"; exit 1; }
	$(GO) vet ./... $(CI_PACKAGES)
	$(GO) fix -diff ./... $(CI_PACKAGES)
	$(GO) tool staticcheck ./... $(CI_PACKAGES)

repeat: ## the concurrent packages again and again
	$(GO) test $(RACE) -shuffle=on -count=$(REPEAT) $(CONCURRENT)
	$(GO) test -shuffle=on -count=1 -skip '$(LIVES)' $(LONG)

prove: ## every death of the crash matrix and the simulation, without the race detector; prints counts and seeds
	@mkdir -p bin
	$(GO) test -v -count=1 -run '$(LIVES)' ./grants/service > bin/lives.txt 2>&1; code=$$?; \
		if test $$code = 0; then grep -E '^ +[a-z_]+\.go:[0-9]+: |^--- |^ok' bin/lives.txt; else cat bin/lives.txt; fi; exit $$code

deaths: ## the shipped binary, killed at each request and each system call of its nights; prints the counts, takes a quarter of an hour
	@mkdir -p bin
	NIGHTLATCH_FULL=1 $(GO) test -v -count=1 -timeout 1h ./cmd/nightlatch/deaths > bin/deaths.txt 2>&1; code=$$?; \
		if test $$code = 0; then grep -E '^ +[a-z0-9_]+\.go:[0-9]+: |^ +[0-9]+ at |^--- |^ok' bin/deaths.txt; else cat bin/deaths.txt; fi; exit $$code

campaign: ## everything that tries to break the promises, at full size; writes a report to docs/campaigns
	.ci/campaign

# A target that is missing is an error: go test -fuzz would only warn.
fuzz: ## each parser, for its time
	@for target in $(FUZZ); do \
		IFS=: read -r pkg name time <<< "$$target"; \
		$(GO) test -list "^$$name$$" $$pkg | grep -qx "$$name" || { echo "$$pkg has no $$name"; exit 1; }; \
		time=$$(( $${time%s} * $(FUZZ_FACTOR) ))s; \
		echo "Fuzzing $$pkg $$name for $$time."; \
		$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $$time -fuzzminimizetime 10x $$pkg || exit 1; \
	done

faults: ## plants known faults, and demands that a named test sees each
	$(GO) run ./.ci/faults

bench: ## the benchmarks, as ratios within one run
	$(GO) test -run '^$$' -bench . ./...

tidy: ## go.mod and go.sum say what is used
	$(GO) mod tidy -diff

build: ## the binary, as it is shipped
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/nightlatch ./cmd/nightlatch

story: ## one night, played on emulators against the real binary
	$(GO) run ./cmd/playground -story
