# make run and make test are all that most people need; make help lists the rest.

GO       ?= go
GO_MIN   := 1.26
FUZZTIME ?= 30s
ARGS     ?=

commit  := $(shell git rev-parse --short=12 HEAD 2>/dev/null)
sources  = $(shell find . -name '*.go' -not -path '*/node_modules/*')
# The race detector needs a C compiler; without one the tests run all the same.
race     = $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)
as_root  = $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)

node_modules := $(patsubst %,%/node_modules/.package-lock.json,transport/browser transport/operator/console)

.DEFAULT_GOAL := help
.PHONY: help run build test check faults fuzz go deps deps-browser deps-deploy

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build and start the server (flags in ARGS="--voice echo")
	@exec ./bin/aila serve $(ARGS)

build: go ## build bin/aila
	@$(GO) build -buildvcs=false -trimpath -ldflags "-X main.commit=$(commit)" -o bin/aila ./cmd/aila

test: go deps ## install what the tests need, then run them
	@if [ -z "$(race)" ]; then echo "make test: no C compiler, so the race detector is off: install gcc or clang to have it"; fi
	$(GO) test $(race) -timeout 10m ./...
# What ships makes system calls that the race detector does not see (transport/rawcall_linux.go).
	$(if $(race),$(GO) test ./transport ./transport/client)

check: go ## gofmt, go vet, staticcheck, and the rules of the house
	@unformatted=$$("$$($(GO) env GOROOT)/bin/gofmt" -l $(sources)); if [ -n "$$unformatted" ]; then echo "make check: gofmt these:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -run '^TestHouse' ./cmd/aila

faults: go deps ## the tests of faults and load at full length
	FAULTS=1 $(GO) test $(race) -timeout 60m ./actors ./cmd/...

fuzz: go ## run each fuzz test for FUZZTIME (30s)
	@for package in $$($(GO) list ./...); do \
		for name in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

# What the tests need beyond Go, each part in a target of its own.
deps: deps-browser deps-deploy

# What the tests of cmd/aila/deploy need: promtool and systemd-analyze.
deps-deploy:
	@missing=; \
	command -v promtool >/dev/null 2>&1 || missing="$$missing prometheus"; \
	command -v systemd-analyze >/dev/null 2>&1 || missing="$$missing systemd"; \
	if [ -n "$$missing" ]; then \
		echo "make: installing$$missing"; \
		$(as_root) apt-get update -qq && $(as_root) apt-get install -y -qq --no-install-recommends $$missing >/dev/null || \
			echo "make: could not install$$missing, so the tests of what Aila is deployed with are skipped"; \
	fi

# What the browser's tests need: Node, Chromium, and the packages of two lock files. Where they
# cannot be had, those tests are skipped and say so; with CI=true they fail.
deps-browser:
	@missing=; \
	command -v node >/dev/null 2>&1 || missing="$$missing nodejs"; \
	command -v npm >/dev/null 2>&1 || missing="$$missing npm"; \
	for name in "$$CHROMIUM" chromium chromium-browser google-chrome; do \
		if [ -n "$$name" ] && command -v "$$name" >/dev/null 2>&1; then found=$$name; break; fi; \
	done; \
	[ -n "$$found" ] || missing="$$missing chromium"; \
	if [ -n "$$missing" ]; then \
		echo "make: installing$$missing"; \
		$(as_root) apt-get update -qq && $(as_root) apt-get install -y -qq --no-install-recommends $$missing >/dev/null || \
			echo "make: could not install$$missing, so the browser's tests are skipped"; \
	fi
	@if command -v npm >/dev/null 2>&1; then $(MAKE) -sk --no-print-directory $(node_modules) || \
		echo "make: could not install Node packages, so the browser's tests are skipped"; fi

%/node_modules/.package-lock.json: %/package-lock.json
	@echo "make: npm ci in $*"
	@cd $* && npm ci --silent
	@touch $@

# A Go that is too old may fetch a newer one by itself (GOTOOLCHAIN=auto), so what counts is
# the version that it would build with here.
go:
	@found=$$($(GO) version 2>/dev/null | sed -n 's/^go version go\([0-9][0-9.]*\).*/\1/p'); \
	if [ -z "$$found" ] && ! command -v $(GO) >/dev/null 2>&1; then \
		echo "make: Aila needs Go $(GO_MIN) or newer, and there is no $(GO) on this machine: see https://go.dev/doc/install" >&2; exit 1; \
	fi; \
	if [ "$$(printf '%s\n' $(GO_MIN) "$$found" | sort -V | head -n 1)" != "$(GO_MIN)" ]; then \
		echo "make: Aila needs Go $(GO_MIN) or newer, and this is $${found:-older}: see https://go.dev/doc/install" >&2; exit 1; \
	fi
