# urumi's commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help demo shop kind k3d dashboard images load-kind load-k3d load-k3s load-minikube push check lint test e2e attack chaos \
  contract bench scale docs site cluster-up cluster-down

help: ## Show this list
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it

demo: ## Serve the dashboard and the API on an in-memory cluster and print their address (npm for the dashboard)
	@dev/demo/platform

shop: ## Run one shop without Kubernetes: PostgreSQL, the Medusa API and the storefront (needs npm and PostgreSQL 15)
	@dev/demo/shop

kind: ## Make a kind cluster with the platform and a first store (needs Docker, kind, kubectl, helm; CLUSTER=name)
	@dev/demo/laptop kind $(CLUSTER)

k3d: ## Make a k3d cluster with the platform and a first store (needs Docker, k3d, kubectl, helm; CLUSTER=name)
	@dev/demo/laptop k3d $(CLUSTER)

##@ Build and load

dashboard: ## Build the dashboard, which urumi-http then serves at /ui/ (needs npm)
	@dev/tests/dashboard/build

images: ## Build the images of the platform and of stores, and print their archives (buildah or docker)
	@images/build

load-kind: ## Build the images and load them into kind (CLUSTER=name)
	@images/load kind $(CLUSTER)

load-k3d: ## Build the images and load them into k3d (CLUSTER=name)
	@images/load k3d $(CLUSTER)

load-k3s: ## Build the images and load them into k3s on this machine (with sudo)
	@images/load k3s

load-minikube: ## Build the images and load them into minikube (CLUSTER=profile)
	@images/load minikube $(CLUSTER)

push: ## Build the images and push them (REGISTRY=registry.example.com/shop)
	@images/load push $(REGISTRY)

##@ Check

check: ## Check formatting, lints, unit and in-memory tests and the dashboard: run it before each commit
	@dev/checks/check

lint: ## Run all static checks: also each feature alone, packages, the public API, documentation, licences, shell, Go
	@dev/checks/lint

test: ## Run every level of tests that this machine can run; install what they need
	@dev/checks/test

e2e: ## Test stores with real pods on a real node (root, Debian; FILTER=life for some of it)
	@dev/tests/e2e/run $(FILTER)

attack: ## Run the attacks of docs/SECURITY.md: what every kind of attacker tries, and is refused
	@dev/tests/attack/run

chaos: ## Run all fault tests with full counts, for hours (PARTS="crashes watches" for some of it)
	@dev/tests/chaos/run $(PARTS)

contract: ## Check the HTTP API against its description (ARGS=--long for 20,000 requests)
	@dev/tests/contract/run $(ARGS)

bench: ## Measure urumi and print a table
	@dev/checks/bench

scale: ## Measure a server with up to 1000 stores (STORES=10,100,...)
	@dev/checks/scale $(if $(STORES),--stores $(STORES))

##@ Documentation and generated files

docs: ## Write everything again that is generated and committed: snapshots, references, the rendered chart, the public API
	UPDATE_DOCS=1 INSTA_UPDATE=always $(CARGO) test --workspace --quiet
	UPDATE_DOCS=1 dev/tests/chart/run
	UPDATE_DOCS=1 dev/checks/public-api/run || [ $$? = 3 ]

site: ## Build the documentation as a website with a search, and print its folder (npm)
	@dev/checks/site/run

##@ Clusters for tests

cluster-up: ## Start a real Kubernetes API server with simulated nodes on this machine
	@dev/clusters/kubernetes/up

cluster-down: ## Stop it and remove its files
	@dev/clusters/kubernetes/down
