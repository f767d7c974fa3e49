package tests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// presets are those of all platforms, each with the values that it belongs to.
func presets(t *testing.T) []string {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(chart, "presets"))
	must(t, err)
	var all []string
	for _, file := range files {
		with := "values-prod.yaml"
		if file.Name() == "kind.yaml" {
			with = "values-local.yaml"
		}
		all = append(all, with+",presets/"+file.Name())
	}
	if len(all) < 6 {
		t.Fatalf("only %v", all)
	}
	return all
}

// Each preset says that nobody tried it, makes objects of Kubernetes' types, and admits somebody to the stores.
func TestPresets(t *testing.T) {
	for _, values := range presets(t) {
		t.Run(values, func(t *testing.T) {
			_, name, _ := strings.Cut(values, ",")
			head, _, _ := strings.Cut(read(t, chart, name), "\n\n")
			base, _, _ := strings.Cut(values, ",")
			if !strings.Contains(head, "# Not tried on ") || !strings.Contains(head, base) {
				t.Errorf("it does not say whether it was tried, or with which values:\n%s", head)
			}
			if !strings.Contains(read(t, chart, "README.md"), "| `"+name+"` | `"+base+"` |") {
				t.Error("the README does not list it")
			}
			objects := render(t, values)
			for _, missing := range references(objects) {
				t.Error(missing)
			}
			_, engines := settings(t, objects)
			class, _ := dig(engines, "medusa/ingress/className").(string)
			for _, it := range typed[*networkingv1.Ingress](objects) {
				if class == "" || *it.Spec.IngressClassName != class {
					t.Errorf("the Ingress %s is of the class %s, and those of stores of %s", it.Name, *it.Spec.IngressClassName, class)
				}
			}
			controllers, _ := dig(engines, "medusa/ingress/controllerNamespaces").([]any)
			networks, _ := dig(engines, "medusa/ingress/controllerCidrs").([]any)
			if len(controllers)+len(networks) == 0 {
				t.Error("nobody is admitted")
			}
			annotations, _ := dig(engines, "medusa/ingress/annotations").(map[string]any)
			for _, it := range typed[*admissionv1.ValidatingAdmissionPolicy](objects) {
				if it.Name != "store-orchestrator-boundary" {
					continue
				}
				for _, variable := range it.Spec.Variables {
					for key := range annotations {
						if variable.Name == "foreignAnnotations" && !strings.Contains(variable.Expression, `"`+key+`"`) {
							t.Errorf("the admission policy refuses %s", key)
						}
					}
				}
			}
		})
	}
}

// OpenShift assigns users and refuses others; its DNS is elsewhere.
func TestOpenShift(t *testing.T) {
	objects := render(t, "values-prod.yaml,presets/openshift.yaml")
	for _, it := range pods(objects) {
		if security := it.spec.SecurityContext; security.RunAsUser != nil || security.RunAsGroup != nil || security.FSGroup != nil || !*security.RunAsNonRoot {
			t.Errorf("%s: %v", it.name, security)
		}
	}
	for _, it := range typed[*networkingv1.NetworkPolicy](objects) {
		for _, rule := range it.Spec.Egress {
			for _, peer := range rule.To {
				if peer.NamespaceSelector != nil && (peer.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "openshift-dns" || rule.Ports[0].Port.IntValue() != 5353) {
					t.Errorf("%s: %v", it.Name, rule)
				}
			}
		}
	}
}
