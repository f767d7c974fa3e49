package tests

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

var verbs = []string{"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}

const (
	reads = "get list watch"
	// What goes with its namespace only, and what a change of a store may remove.
	stays  = "create get list watch patch"
	stores = stays + " delete"
)

// Kinds, and what RBAC must allow of each: this table is the expectation, written by hand and not taken from the chart.
var kinds = []struct {
	group, resource, allowed string
	clusterWide              bool
	sample                   string
}{
	{"", "namespaces", "create get list watch patch delete", true, ""},
	{"", "secrets", "create", false, `{apiVersion: v1, kind: Secret, stringData: {a: b}}`},
	{"", "services", stores, false, `{apiVersion: v1, kind: Service, spec: {ports: [{port: 80}]}}`},
	{"", "configmaps", stores, false, `{apiVersion: v1, kind: ConfigMap}`},
	{"", "resourcequotas", stores, false, `{apiVersion: v1, kind: ResourceQuota, spec: {hard: {pods: "50"}}}`},
	{"", "limitranges", stores, false, `{apiVersion: v1, kind: LimitRange, spec: {limits: [{type: Pod, max: {cpu: "4"}}]}}`},
	{"", "persistentvolumeclaims", reads, false, ""},
	{"", "pods", "list watch patch", false, `{apiVersion: v1, kind: Pod, spec: LIMITED}`},
	{"", "pods/log", "get", false, ""},
	{"", "pods/exec", "", false, ""},
	{"", "pods/ephemeralcontainers", "", false, ""},
	{"", "events", "list", false, ""},
	{"", "serviceaccounts", "", false, ""},
	{"", "serviceaccounts/token", "", false, ""},
	{"", "endpoints", "", false, ""},
	{"", "nodes", "", true, ""},
	{"", "persistentvolumes", "", true, ""},
	{"apps", "deployments", stores, false, `{apiVersion: apps/v1, kind: Deployment, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: POD}}}`},
	{"apps", "statefulsets", stays, false, `{apiVersion: apps/v1, kind: StatefulSet, spec: {serviceName: a, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: POD}}}`},
	{"apps", "controllerrevisions", "create list delete", false, `{apiVersion: apps/v1, kind: ControllerRevision, revision: 1, data: {a: b}}`},
	{"apps", "daemonsets", "", false, ""},
	{"autoscaling", "horizontalpodautoscalers", stores, false, `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}, maxReplicas: 2}}`},
	{"batch", "jobs", "create get list watch delete", false, `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: JOB}}}`},
	{"batch", "cronjobs", stores, false, `{apiVersion: batch/v1, kind: CronJob, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: JOB}}}}}`},
	{"networking.k8s.io", "ingresses", stays, false, `{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {rules: [{host: store-matrix.localtest.me}]}}`},
	{"networking.k8s.io", "networkpolicies", stores, false, `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, spec: {podSelector: {}}}`},
	{"networking.k8s.io", "ingressclasses", "list watch", true, ""},
	{"storage.k8s.io", "storageclasses", "list watch", true, ""},
	{"rbac.authorization.k8s.io", "roles", "", false, ""},
	{"rbac.authorization.k8s.io", "rolebindings", "", false, ""},
	{"rbac.authorization.k8s.io", "clusterroles", "", true, ""},
	{"rbac.authorization.k8s.io", "clusterrolebindings", "", true, ""},
	{"coordination.k8s.io", "leases", "", false, ""},
	{"admissionregistration.k8s.io", "validatingadmissionpolicies", "", true, ""},
	{"apiextensions.k8s.io", "customresourcedefinitions", "", true, ""},
	{"authentication.k8s.io", "tokenreviews", "", true, ""},
	{"certificates.k8s.io", "certificatesigningrequests", "", true, ""},
}

// A pod that fits, as samples have it.
const goodPod = `{automountServiceAccountToken: false, securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, image: a, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]}`

func sample(t *testing.T, text, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	text = strings.ReplaceAll(text, "JOB", strings.Replace(goodPod, "{auto", "{restartPolicy: Never, auto", 1))
	text = strings.ReplaceAll(text, "LIMITED", strings.Replace(goodPod, "image: a,", "image: a, resources: {limits: {cpu: 10m, memory: 16Mi}},", 1))
	text = strings.ReplaceAll(text, "POD", goodPod)
	it := &unstructured.Unstructured{}
	must(t, yaml.UnmarshalStrict([]byte(text), &it.Object))
	it.SetName(name)
	it.SetNamespace(namespace)
	return it
}

func (c cluster) may(t *testing.T, verb, group, resource, namespace, name string) bool {
	t.Helper()
	resource, sub, _ := strings.Cut(resource, "/")
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource, Subresource: sub, Namespace: namespace, Name: name},
	}}
	answer, err := c.admin.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	must(t, err)
	return answer.Status.Allowed
}

// Namespaces: a store, others, and what only looks like a store.
var scopes = []struct {
	name, title string
	own         bool
	labels      map[string]string
}{
	{"store-matrix", "own store", true, map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted"}},
	{"team-a", "foreign namespace", false, nil},
	{"kube-system", "kube-system", false, nil},
	{"store-lookalike", "`store-…` without label", false, nil},
	{"shop-labelled", "label without `store-…`", false, map[string]string{"store.urumi.ai/enabled": "true"}},
	{"", "cluster-wide", false, nil},
}

// What the ServiceAccount may do, asked of the API server verb by verb, kind by kind, place by place; writes are tried, without
// being stored. Nothing more is allowed than what is expected, and nothing less.
func TestClusterMatrix(t *testing.T) {
	c := connect(t)
	c.install(t, local)
	backend, _ := c.backend(t)
	for _, scope := range scopes {
		if scope.name != "" && scope.name != "kube-system" {
			c.namespace(t, scope.name, scope.labels, map[string]string{"store.urumi.ai/id": strings.TrimPrefix(scope.name, "store-")})
		}
	}
	// Something to change of each kind, everywhere.
	for _, kind := range kinds {
		for _, scope := range scopes {
			if kind.sample == "" || scope.name == "" {
				continue
			}
			resource := c.any.Resource(resourceOf(t, kind.group, kind.resource)).Namespace(scope.name)
			it := sample(t, kind.sample, scope.name, "matrix")
			it.SetLabels(map[string]string{"store.urumi.ai/id": "matrix"})
			_, err := resource.Create(t.Context(), it, metav1.CreateOptions{})
			must(t, err)
			t.Cleanup(func() { _ = resource.Delete(context.Background(), "matrix", metav1.DeleteOptions{}) })
		}
	}
	backend.settled(t)

	var table strings.Builder
	questions, writes, unexpected := 0, 0, 0
	table.WriteString("| kind | " + strings.Join(titles(), " | ") + " |\n|---" + strings.Repeat("|---", len(scopes)) + "|\n")
	for _, kind := range kinds {
		fmt.Fprintf(&table, "| %s |", strings.TrimPrefix(kind.group+"/"+kind.resource, "/"))
		for _, scope := range scopes {
			var cell []string
			for _, verb := range verbs {
				questions++
				allowed := backend.may(t, verb, kind.group, kind.resource, scope.name, "")
				if want := slices.Contains(strings.Fields(kind.allowed), verb); allowed != want {
					unexpected++
					t.Errorf("RBAC: may %s %s/%s in %q: %v", verb, kind.group, kind.resource, scope.name, allowed)
				}
				if !allowed {
					continue
				}
				if reading := slices.Contains([]string{"get", "list", "watch"}, verb); reading {
					cell = append(cell, verb)
					continue
				}
				if scope.name == "" && !kind.clusterWide {
					// A write is always into a namespace: it is tried in each of them.
					continue
				}
				if kind.resource == "namespaces" && (verb == "create") != (scope.name == "") {
					// One is created in no other, and only one that is there is changed.
					continue
				}
				writes++
				by := refused(backend.try(t, verb, kind.group, kind.resource, kind.sample, scope.name))
				if by != "" && by != "admission" {
					t.Errorf("%s %s in %q: %s", verb, kind.resource, scope.name, by)
				}
				wanted := scope.own || (kind.resource == "namespaces" && verb == "create")
				if (by == "") != wanted {
					unexpected++
					t.Errorf("admission: %s %s in %q: %q", verb, kind.resource, scope.name, by)
				}
				if by == "" {
					cell = append(cell, "**"+verb+"**")
				}
			}
			table.WriteString(" " + strings.Join(cell, " ") + " |")
		}
		table.WriteString("\n")
	}
	if !backend.may(t, "get", "", "secrets", "store-matrix", "medusa-admin") || backend.may(t, "get", "", "secrets", "store-matrix", "postgres-credentials") {
		t.Error("of a store's Secrets, the administrator's may be read and no other")
	}
	for verb, want := range map[string]bool{"create": true, "get": true, "list": true, "update": true, "watch": true, "patch": false, "delete": false} {
		if backend.may(t, verb, "coordination.k8s.io", "leases", namespace, "") != want {
			t.Errorf("Leases of the platform: %s", verb)
		}
	}
	if !backend.may(t, "create", "", "events", "default", "") || backend.may(t, "create", "", "events", "kube-system", "") {
		t.Error("Events may be created in default only")
	}
	for _, verb := range []string{"escalate", "bind", "impersonate", "*"} {
		for _, resource := range []string{"clusterroles", "roles", "users", "serviceaccounts"} {
			if backend.may(t, verb, "rbac.authorization.k8s.io", resource, "", "") || backend.may(t, verb, "", resource, "", "") {
				t.Errorf("may %s %s", verb, resource)
			}
		}
	}
	t.Logf("%d questions to RBAC and %d writes on trial: %d unexpected answers", questions, writes, unexpected)
	if questions < 8*20*5 {
		t.Errorf("only %d questions", questions)
	}
	keep(t, fmt.Sprintf("%d verbs, %d kinds, %d places: %d questions to RBAC, and %d writes that RBAC allows, tried.\n\n%s", len(verbs), len(kinds), len(scopes), questions, writes, table.String()))
}

func titles() []string {
	var all []string
	for _, scope := range scopes {
		all = append(all, scope.title)
	}
	return all
}

// keep puts the table into docs/SECURITY.md, or compares it with what is there.
func keep(t *testing.T, table string) {
	t.Helper()
	const begin, end = "<!-- matrix: generated by dev/tests/chart/run cluster -->\n", "<!-- end of matrix -->\n"
	page := read(t, root, "docs", "SECURITY.md")
	before, rest, ok := strings.Cut(page, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("docs/SECURITY.md has no place for the table")
	}
	golden(t, before+begin+"\n"+table+"\n"+end+after, root, "docs", "SECURITY.md")
}

func resourceOf(t *testing.T, group, resource string) schema.GroupVersionResource {
	t.Helper()
	version := map[string]string{"": "v1", "apps": "v1", "autoscaling": "v2", "batch": "v1", "networking.k8s.io": "v1", "rbac.authorization.k8s.io": "v1", "coordination.k8s.io": "v1", "apiextensions.k8s.io": "v1"}[group]
	if version == "" {
		t.Fatalf("which version of %s?", group)
	}
	return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}
}

// try writes without storing.
func (c cluster) try(t *testing.T, verb, group, resource, text, scope string) error {
	t.Helper()
	all := []string{metav1.DryRunAll}
	name, at := "matrix", c.any.Resource(resourceOf(t, group, resource)).Namespace(scope)
	if resource == "namespaces" {
		name, at = scope, c.any.Resource(resourceOf(t, group, resource)).Namespace("")
		text = `{apiVersion: v1, kind: Namespace, metadata: {labels: {store.urumi.ai/enabled: "true", pod-security.kubernetes.io/enforce: restricted}}}`
	}
	switch verb {
	case "create":
		_, err := at.Create(t.Context(), sample(t, text, scope, "store-trial"), metav1.CreateOptions{DryRun: all})
		return err
	case "patch":
		patch := []byte(`{"metadata": {"annotations": {"store.urumi.ai/trial": "1"}}}`)
		_, err := at.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{DryRun: all})
		return err
	case "delete":
		return at.Delete(t.Context(), name, metav1.DeleteOptions{DryRun: all})
	}
	t.Fatalf("how is %s tried?", verb)
	return nil
}

// settled waits until the API server judges by the policies: it reads them a moment after they are made.
func (c cluster) settled(t *testing.T) {
	t.Helper()
	judged := func(ctx context.Context) (bool, error) {
		rootly := strings.Replace(goodPod, "runAsUser: 1000", "runAsUser: 0", 1)
		deployment := `{apiVersion: apps/v1, kind: Deployment, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: ` + rootly + `}}}`
		pods := c.try(t, "create", "apps", "deployments", deployment, "store-matrix")
		boundary := c.try(t, "create", "", "configmaps", `{apiVersion: v1, kind: ConfigMap}`, "default")
		return refused(pods) == "admission" && refused(boundary) == "admission", nil
	}
	must(t, wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, judged))
}

// Beside stores, the backend writes where it is told that databases are made, and its Leases.
func TestClusterPlacesBesideStores(t *testing.T) {
	c := connect(t)
	c.namespace(t, "databases", nil, nil)
	c.install(t, local, "--set", "stores.defaults.medusa.database.server.namespace=databases,stores.defaults.medusa.database.server.host=postgres,stores.defaults.medusa.database.server.secretName=administrator")
	backend, _ := c.backend(t)
	c.namespace(t, "store-matrix", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted"}, nil)
	backend.settled(t)
	job := strings.Replace(`{apiVersion: batch/v1, kind: Job, spec: {suspend: true, template: {spec: JOB}}}`, "JOB",
		strings.NewReplacer("{auto", "{restartPolicy: Never, auto", "image: a,", "image: 'postgres:15-alpine', env: [{name: PGHOST, value: postgres}],").Replace(goodPod), 1)
	_, err := c.any.Resource(resourceOf(t, "batch", "jobs")).Namespace("databases").Create(t.Context(), sample(t, job, "databases", "matrix"), metav1.CreateOptions{})
	must(t, err)
	for _, it := range []struct{ verb, group, resource, text, scope, by string }{
		{"create", "batch", "jobs", job, "databases", ""},
		{"patch", "batch", "jobs", job, "databases", ""},
		{"create", "", "secrets", `{apiVersion: v1, kind: Secret}`, "databases", ""},
		{"create", "", "secrets", `{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {annotations: {kubernetes.io/service-account.name: default}}}`, "databases", "admission"},
		{"create", "", "configmaps", `{apiVersion: v1, kind: ConfigMap}`, "databases", "admission"},
		{"create", "batch", "cronjobs", kindsSample("cronjobs"), "databases", "admission"},
		{"delete", "batch", "jobs", job, "databases", "admission"},
		{"create", "coordination.k8s.io", "leases", `{apiVersion: coordination.k8s.io/v1, kind: Lease}`, namespace, ""},
		{"create", "coordination.k8s.io", "leases", `{apiVersion: coordination.k8s.io/v1, kind: Lease}`, "kube-system", "RBAC"},
		{"create", "", "secrets", `{apiVersion: v1, kind: Secret}`, namespace, "admission"},
		{"create", "", "configmaps", `{apiVersion: v1, kind: ConfigMap}`, namespace, "admission"},
	} {
		if by := refused(backend.try(t, it.verb, it.group, it.resource, it.text, it.scope)); by != it.by {
			t.Errorf("%s %s in %s: %q, and should be %q", it.verb, it.resource, it.scope, by, it.by)
		}
	}
	if !backend.may(t, "get", "", "secrets", "databases", "store-x") || backend.may(t, "list", "", "secrets", "databases", "") {
		t.Error("the databases' Secrets may be read by name")
	}
}

func kindsSample(resource string) string {
	for _, kind := range kinds {
		if kind.resource == resource {
			return kind.sample
		}
	}
	return ""
}

// Whichever permission is taken away, the matrix asks for it and fails: it knows them all.
func TestTheMatrixKnowsEveryPermission(t *testing.T) {
	expected := map[string]string{"/secrets/medusa-admin": "get"}
	for _, kind := range kinds {
		expected[kind.group+"/"+kind.resource] = kind.allowed
	}
	for permission, verbs := range clusterRole(t, render(t, local)) {
		for _, verb := range verbs {
			if !slices.Contains(strings.Fields(expected[permission]), verb) {
				t.Errorf("the matrix does not ask for %s %s", permission, verb)
			}
		}
	}
}
