# urumi's commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
# CI and contributors get the same lints: a warning is an error.
CLIPPY := $(CARGO) clippy --workspace --all-targets

.PHONY: help demo dashboard test e2e chaos lint bench cluster-up cluster-down docs image

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Serve the dashboard and the API on a cluster in memory and print their address (needs Rust; npm for the dashboard)
	@dev/demo

dashboard: ## Build the dashboard, which urumi-http then serves at /ui/ (needs npm)
	@dev/dashboard/build

test: ## Run every test that can run here; sets up what it needs
	@dev/test

e2e: ## Place orders in stores with real pods on a real node (root, Debian; FILTER=life for a part of it)
	@dev/e2e/run $(FILTER)

chaos: ## Make every fault there is, in full counts (minutes; `make test` runs a part of each)
	@dev/chaos

lint: ## Check formatting, lints, each crate alone, documentation, licences and shell scripts
	@dev/lint

bench: ## Measure urumi against its floors and print a table
	@dev/bench

cluster-up: ## Start a real Kubernetes API server with simulated nodes on this machine
	@dev/cluster/up

cluster-down: ## Stop it and remove everything it left
	@dev/cluster/down

IMAGE ?= urumi/urumi:dev
image: ## Build the platform's image, $(IMAGE), with Docker or what calls itself so
	docker build --build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) --tag $(IMAGE) .

docs: ## Write again what is generated and committed: snapshots, the command line reference, the rendered chart
	UPDATE_DOCS=1 INSTA_UPDATE=always $(CARGO) test --workspace --quiet
	UPDATE_DOCS=1 dev/helm/test
