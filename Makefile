# What the README and CI call. `make test` needs Go and a C compiler (for the race
# detector); it starts PostgreSQL itself. PostgreSQL and Node it installs where it may.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:

# The output of go test -v without what passed: failures, skipped tests with their
# reasons, and what tests report.
failures := { grep -avE '^(=== (RUN|PAUSE|CONT|NAME) | *--- PASS|PASS$$)' || true; }

.PHONY: build web test check format vet staticcheck tidy unit web-check fuzz-short fuzz e2e e2e-latest \
	screenshots vuln proof-kill9 proof-races proof-replay proof-failover proof-hotswap proof-widget proof-stopwatch proof-peers

build:
	CGO_ENABLED=0 go build -trimpath -o bin/answerable ./cmd/answerable

# The page and the widget, from web/ into internal/console/dist, which is committed.
web:
	scripts/web build

test: check unit fuzz-short e2e web-check

check: format vet staticcheck tidy

format:
	@echo gofmt -l .
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "not formatted (gofmt -w):"; echo "$$files"; exit 1; }

vet:
	go vet ./...

staticcheck:
	go tool staticcheck ./...

tidy:
	go mod tidy -diff

unit:
	scripts/with-postgres go test -race -shuffle=on -timeout 15m -v ./... | $(failures)
	@[ -d ../shared ] || echo "not run: tests on public data sets, vendors' specifications and recordings, which are not part of this repository (../shared)"

# Types, tests and weight of what web/ holds, and that dist is what it builds.
web-check:
	scripts/web

# The short form of make fuzz: a forbidden phrase never passes the gate.
fuzz-short:
	go test -run '^$$' -fuzz '^FuzzGate$$' -fuzztime 10s ./internal/guard

# Each fuzz test for a while: make fuzz FUZZTIME=1m
FUZZTIME ?= 10s
fuzz:
	@for package in $$(go list ./...); do \
		names=$$(go test -list '^Fuzz' $$package); \
		for name in $$(grep '^Fuzz' <<<"$$names" || true); do \
			echo "$$package $$name"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

# Clients of others speak to the server: those for Go and for Node 20, or the newest. Then
# the page and the widget in Chromium.
e2e:
	e2e/run

e2e-latest:
	e2e/run latest

# Takes the pictures of docs/screenshots. SCREEN=welcome: of one screen only.
screenshots:
	e2e/run screenshots

# Needs the network: the database of known vulnerabilities.
vuln:
	go run golang.org/x/vuln/cmd/govulncheck@latest ./...

# The long forms of proofs that make test has in short.
proof = ANSWERABLE_PROOF=long scripts/with-postgres go test -count=1 -v -timeout 60m

proof-kill9:
	$(proof) ./cmd/answerable -run '^TestKill9$$'

proof-races:
	$(proof) ./internal/inbox -run '^TestTakeoverRaces$$'

proof-replay:
	$(proof) ./internal/inbox -run '^TestReplayRandomTurns$$'

proof-failover:
	$(proof) ./internal/app -run '^TestFailoverAtEveryChunk$$'

proof-hotswap:
	$(proof) ./internal/app -run '^TestHotSwap$$'
	$(proof) ./cmd/answerable -run '^TestKillWhilePromoting$$'

# Weight, times and memory of the widget in Chromium; the figures are this machine's.
proof-widget:
	e2e/run proof-widget

# The first five minutes of a newcomer, from a clone of HEAD and an empty build cache on.
proof-stopwatch:
	e2e/run proof-stopwatch

# Needs the network on the first run, and for figures a machine on which nothing else
# runs. make proof-peers OUT=FILE keeps the tables.
proof-peers:
	scripts/proof-peers $(if $(OUT),-o $(OUT))
