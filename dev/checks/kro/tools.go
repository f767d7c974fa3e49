//go:build tools

// Package tools pins the version of kro that build builds.
package tools

import _ "github.com/kubernetes-sigs/kro/cmd/controller"
