// Package tests judges the chart: what it renders, what it refuses, and what it does on a real API server.
package tests

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const (
	release   = "urumi-platform"
	namespace = "urumi"
	// Values files, joined by commas. Those for production need a platform's.
	local = "values-local.yaml"
	prod  = "values-prod.yaml,presets/k3s.yaml"
)

var (
	root  = filepath.Join("..", "..", "..", "..")
	chart = filepath.Join(root, "helm", "store-platform")
	// What generated files are written again with.
	update = os.Getenv("UPDATE_DOCS") == "1"
)

// An object as it was rendered, and as its Go type where Kubernetes has one.
type object struct {
	unstructured.Unstructured
	typed runtime.Object
}

// helm runs Helm and returns what it says on each of its two streams.
func helm(args ...string) (string, string, error) {
	program := os.Getenv("HELM")
	if program == "" {
		panic("HELM says where Helm is: run dev/tests/chart/run")
	}
	command := exec.Command(program, args...)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	err := command.Run()
	return out.String(), errors.String(), err
}

// valuesArgs are the arguments for values files, by their names in the chart, joined by commas.
func valuesArgs(values string) []string {
	var all []string
	for name := range strings.SplitSeq(values, ",") {
		if name != "" {
			all = append(all, "--values", filepath.Join(chart, name))
		}
	}
	return all
}

// text renders the chart with values files and further arguments.
func text(t *testing.T, values string, args ...string) string {
	t.Helper()
	all := []string{"template", release, chart, "--namespace", namespace, "--kube-version", "1.37.0"}
	all = append(all, valuesArgs(values)...)
	out, errors, err := helm(append(all, args...)...)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, errors)
	}
	return out
}

// render does the same and reads the objects, strictly: a misspelt field is a failure.
func render(t *testing.T, values string, args ...string) []object {
	t.Helper()
	return parse(t, text(t, values, args...))
}

func parse(t *testing.T, text string) []object {
	t.Helper()
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []object
	for _, document := range regexp.MustCompile(`(?m)^---$`).Split(text, -1) {
		var it object
		if err := yaml.UnmarshalStrict([]byte(document), &it.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if it.Object == nil {
			continue
		}
		if scheme.Scheme.Recognizes(it.GroupVersionKind()) {
			typed, _, err := strict.Decode([]byte(document), nil, nil)
			if err != nil {
				t.Fatalf("%s %s: %v", it.GetKind(), it.GetName(), err)
			}
			it.typed = typed
		}
		objects = append(objects, it)
	}
	return objects
}

// find returns the one object of a kind and a name.
func find(t *testing.T, objects []object, kind, name string) object {
	t.Helper()
	for _, it := range objects {
		if it.GetKind() == kind && it.GetName() == name {
			return it
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return object{}
}

func has(objects []object, kind, name string) bool {
	for _, it := range objects {
		if it.GetKind() == kind && (name == "" || it.GetName() == name) {
			return true
		}
	}
	return false
}

// typed returns all objects of a Go type.
func typed[T runtime.Object](objects []object) []T {
	var all []T
	for _, it := range objects {
		if it, ok := it.typed.(T); ok {
			all = append(all, it)
		}
	}
	return all
}

func one[T runtime.Object](t *testing.T, objects []object, name string) T {
	t.Helper()
	for _, it := range objects {
		if typed, ok := it.typed.(T); ok && it.GetName() == name {
			return typed
		}
	}
	var none T
	t.Fatalf("there is no %T %s", none, name)
	return none
}

func at(it object, path ...string) any {
	found, _, _ := unstructured.NestedFieldNoCopy(it.Object, path...)
	return found
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// golden compares with a file that is kept, or writes it where that is asked for.
func golden(t *testing.T, text string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; `make docs` writes it", err)
	}
	if string(kept) != text {
		t.Errorf("%s is out of date; `make docs` writes it again\n%s", file, difference(string(kept), text))
	}
}

// difference is the first lines that differ.
func difference(before, after string) string {
	old, fresh := strings.Split(before, "\n"), strings.Split(after, "\n")
	for at := range max(len(old), len(fresh)) {
		line := func(lines []string) string {
			if at < len(lines) {
				return lines[at]
			}
			return "(its end)"
		}
		if line(old) != line(fresh) {
			return fmt.Sprintf("line %d was %q and is %q", at+1, line(old), line(fresh))
		}
	}
	return ""
}

func names(gvk schema.GroupVersionKind, name string) string { return gvk.Kind + " " + name }
