# urumi's commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
# CI and contributors get the same lints: a warning is an error.
CLIPPY := $(CARGO) clippy --workspace --all-targets

.PHONY: help demo dashboard test chaos e2e lint bench cluster-up cluster-down docs image

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Serve the dashboard and the API on a cluster in memory and print their address (needs Rust; npm for the dashboard)
	@dev/demo/platform

dashboard: ## Build the dashboard, which urumi-http then serves at /ui/ (needs npm)
	@dev/tests/dashboard/build

test: ## Run every test that can run here; sets up what it needs
	@dev/checks/test

chaos: ## Make everything go wrong that can, in full; for hours (PARTS="crashes watches" for some of it)
	@dev/tests/chaos/run $(PARTS)

e2e: ## Place orders in stores with real pods on a real node (root, Debian; FILTER=life for a part of it)
	@dev/tests/e2e/run $(FILTER)

lint: ## Check formatting, lints, each crate alone, documentation, licences and shell scripts
	@dev/checks/lint

bench: ## Measure urumi against its floors and print a table
	@dev/checks/bench

cluster-up: ## Start a real Kubernetes API server with simulated nodes on this machine
	@dev/clusters/kubernetes/up

cluster-down: ## Stop it and remove everything it left
	@dev/clusters/kubernetes/down

IMAGE ?= urumi/urumi:dev
image: ## Build the platform's image, $(IMAGE), with Docker or what calls itself so
	docker build --build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) --tag $(IMAGE) .

docs: ## Write again what is generated and committed: snapshots, the command line reference, the rendered chart
	UPDATE_DOCS=1 INSTA_UPDATE=always $(CARGO) test --workspace --quiet
	UPDATE_DOCS=1 dev/tests/chart/run
