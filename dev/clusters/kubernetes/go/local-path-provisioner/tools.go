//go:build tools

// Package tools pins the version of the program that dev/clusters/kubernetes/build builds.
package tools

import _ "github.com/rancher/local-path-provisioner"
