# Yanlink. `make help` lists what there is.
SHELL := /bin/bash
GO ?= go
# The linter is pinned and kept outside the checkout; see .golangci-lint-version.
LINT_VERSION := $(shell cat .golangci-lint-version)
TOOLS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/yanlink-tools
LINT := $(TOOLS)/golangci-lint-$(LINT_VERSION)
# Runs go test, counts what was skipped, and prints each reason; go test alone says ok.
GOTESTSUM := gotest.tools/gotestsum@v1.13.0

# Programs are built as they are released, without C: where a compiler is at hand, Pebble takes its memory from C's heap. Only the race
# detector needs C. What is built one way is built once.
export CGO_ENABLED := 0
# Gin's binding of MessagePack is left out, which nothing here uses: the codec behind it takes long to compile.
SLIM := nomsgpack
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS 2>/dev/null) -tags=$(SLIM))

# How many packages are tested at a time: more than small machines have cores, since the long ones wait most of the time, for
# servers, disks and timeouts.
SIDE_BY_SIDE := -p 3
# The packages that take longest, which begin first: what begins late and takes long is waited for alone.
LONGEST := ./cmd/storm/internal/failures ./clients/sqlstore ./ws/modeltest ./app ./clients/rocketbus ./clients/pebblestore ./ws \
	./cmd/loadgen/internal/bench ./deploy/services

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-20s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/yanlink and bin/loadgen
	$(GO) build -o bin/ . ./cmd/...

.PHONY: portable
portable: ## see that everything compiles for macOS as well
	GOOS=darwin $(GO) vet -tags e2e,services,deploy,$(SLIM) ./...

.PHONY: run
run: ## run the server with its data in ./data
	$(GO) run .

# What mostly waits goes on beside something else: packages come over the network while the linter computes, and after the race tests,
# which leave no processor idle, the browser's run beside the others, each part's output in one piece.
.PHONY: test
test: ## everything: lint, race tests, power cuts, model, storms, browser
	$(MAKE) -j2 lint install
	$(MAKE) test-race
	$(MAKE) -j2 --output-sync=target e2e storm storm-cluster-short test-oidc test-deploy test-page

.PHONY: install
install: ## bring the services, browser and tools of the tests, where they are not there yet
	$(GO) run ./cmd/services install
	./web/e2e/install.sh
	./deploy/install.sh

# Nothing comes from the cache of results: it does not know of the programs that tests build and run. Vet is a part of lint.
.PHONY: test-race
test-race: ## all Go tests under the race detector, with the services that they need
	$(GO) run ./cmd/services install
	$(GO) run ./cmd/services run mariadb postgres -- $(GO) run $(GOTESTSUM) --format pkgname --raw-command -- env CGO_ENABLED=1 \
		$(GO) test -json -race -vet=off -count=1 -tags services,$(SLIM) -timeout 30m $(SIDE_BY_SIDE) $(LONGEST) ./...

.PHONY: test-oidc
test-oidc: ## sign-on at an OpenID Connect provider; a module of its own, for its dependencies
	cd examples/oidc && CGO_ENABLED=1 $(GO) test -race -vet=off -count=1 ./...

.PHONY: test-short
test-short: ## the Go tests that need no services, without the race detector
	$(GO) test ./...

.PHONY: services
services: ## install and start Redis, MariaDB, PostgreSQL, RocketMQ (and Nacos if built) on 127.0.0.1
	$(GO) run ./cmd/services up

.PHONY: cluster
cluster: services ## three nodes behind one address, on the services
	$(GO) run ./cmd/cluster

.PHONY: services-down
services-down: ## stop what make services has started; their data stays in the cache
	$(GO) run ./cmd/services down

.PHONY: test-page
test-page: ## the JavaScript client's tests
	./web/test/run.sh

.PHONY: power
power: ## 1,000 simulated power cuts, and a file system that begins to fail
	$(GO) test -count=1 -timeout 20m -v -run 'PowerCuts|FailingDisk' ./clients/pebblestore

.PHONY: model
model: ## thousands of random histories against the model (make model RUNS=5000 SEED=1 STORE=mysql|postgres)
ifdef STORE
	$(GO) run ./cmd/services run mariadb postgres -- $(GO) test -count=1 -timeout 120m -tags services,$(SLIM) ./ws/modeltest \
		-run 'TestModel_SQL/$(STORE)' -sqlruns $(or $(RUNS),500) $(if $(SEED),-seed $(SEED))
else
	$(GO) test -count=1 -timeout 120m ./ws/modeltest -runs $(or $(RUNS),5000) $(if $(SEED),-seed $(SEED))
endif

.PHONY: storm
storm: ## kill -9 storm: 40 clients, 20,000 messages, 8 kills, an outside checker
	$(GO) run ./cmd/storm

.PHONY: storm-cluster
storm-cluster: ## the same with three nodes and 30,000 messages; database, Redis, RocketMQ are struck too; on MariaDB, then PostgreSQL
	$(GO) run ./cmd/storm -store mysql
	$(GO) run ./cmd/storm -store postgres

.PHONY: storm-cluster-short
storm-cluster-short: ## two minutes of it, on MariaDB
	$(GO) run ./cmd/storm -store mysql -messages 3000 -over 1m -kills 8 -outages 6

.PHONY: failures
failures: ## the failure table, row by row, on real services, with its figures (make failures STORE=mysql|postgres)
	$(GO) test -count=1 -v -tags services,$(SLIM) -timeout 30m ./cmd/storm/internal/failures $(if $(STORE),-store $(STORE))

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (30s)
	@for target in $$($(GO) test -list '^Fuzz' ./ws/protocol | grep ^Fuzz); do \
		$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 1x ./ws/protocol || exit 1; \
	done

.PHONY: bench
bench: ## the figures, as ratios to the yardstick, quick sizes (FULL=1 for the whole)
	$(GO) run ./cmd/loadgen bench -suite figures $(if $(FULL),-full) -json $(or $(JSON),bench.out)

.PHONY: neighbours
neighbours: ## others' latency beside one client that misbehaves, in one way after the other
	$(GO) run ./cmd/loadgen bench -suite neighbours -rounds 3 -duration 6s

.PHONY: soak
soak: ## half an hour at half of saturation: memory, goroutines and descriptors stay flat
	$(GO) run ./cmd/loadgen bench -suite soak -full -only yanlink -json $(or $(JSON),soak.out)

.PHONY: e2e
e2e: ## pages in a real browser: on one node with a kill -9 between, and on three of which one is killed
	./web/e2e/install.sh
	$(GO) run ./cmd/services run -- $(GO) test -count=1 -tags e2e,services,$(SLIM) -timeout 10m ./web/e2e

.PHONY: test-deploy
test-deploy: ## the deployment's files, by Helm, promtool and nginx themselves
	./deploy/install.sh
	$(GO) test -count=1 -tags deploy,$(SLIM) ./deploy

# Lint reads what it has compiled of each package. It is compiled as for the race tests, so that nothing is for one of them alone.
.PHONY: lint
lint: export CGO_ENABLED := 1
lint: export GOFLAGS += -race
lint: install-lint ## golangci-lint with the layout table, and gofumpt
	$(LINT) run ./...
	cd examples/oidc && $(LINT) run ./...

.PHONY: fmt
fmt: install-lint ## format
	$(LINT) fmt ./...

.PHONY: install-lint
install-lint: export CGO_ENABLED := 0
install-lint: export GOFLAGS :=
install-lint:
	@test -x $(LINT) || { echo "installing golangci-lint $(LINT_VERSION)"; \
		mkdir -p $(TOOLS) && GOBIN=$(TOOLS)/build $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION) \
		&& mv $(TOOLS)/build/golangci-lint $(LINT); }
