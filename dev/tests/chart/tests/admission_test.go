package tests

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// A trial is something that the backend tries without storing it, and who is to refuse it, if anybody.
type trial struct {
	what, by string
	try      func() error
}

// trials are what the admission policies are asked, beyond places.
func (c cluster) trials(t *testing.T, backend cluster) []trial {
	t.Helper()
	var all []trial
	store := map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted"}
	c.namespace(t, "store-matrix", store, map[string]string{"store.urumi.ai/id": "matrix"})
	c.namespace(t, "store-lookalike", nil, nil)
	backend.settled(t)

	deployment := func(pod string) string {
		return `{apiVersion: apps/v1, kind: Deployment, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: ` + pod + `}}}`
	}
	but := func(old, fresh string) string {
		if !strings.Contains(goodPod, old) {
			t.Fatalf("a good pod has no %s", old)
		}
		return strings.Replace(goodPod, old, fresh, 1)
	}
	with := func(more string) string { return but("{automount", "{"+more+", automount") }
	pods := map[string]string{
		"hostPath":                with("volumes: [{name: a, hostPath: {path: /}}]"),
		"a driver's volume":       with("volumes: [{name: a, csi: {driver: a}}]"),
		"NFS":                     with("volumes: [{name: a, nfs: {server: a, path: /}}]"),
		"a projected token":       with("volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: a}}]}}]"),
		"the node's network":      with("hostNetwork: true"),
		"the node's processes":    with("hostPID: true"),
		"the node's memory":       with("hostIPC: true"),
		"a ServiceAccount":        with("serviceAccountName: other"),
		"a token":                 but("automountServiceAccountToken: false", "automountServiceAccountToken: true"),
		"a token by default":      but("automountServiceAccountToken: false, ", ""),
		"privileged":              but("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: false, privileged: true"),
		"escalation":              but("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
		"escalation by default":   but("allowPrivilegeEscalation: false, ", ""),
		"a capability":            but("drop: [ALL]", "drop: [ALL], add: [NET_ADMIN]"),
		"capabilities by default": but("capabilities: {drop: [ALL]}", "capabilities: {}"),
		"root":                    but("runAsUser: 1000", "runAsUser: 0"),
		"perhaps root":            but("runAsNonRoot: true, ", ""),
		"root in a container":     but("allowPrivilegeEscalation: false", "runAsUser: 0, allowPrivilegeEscalation: false"),
		"the node's port":         but("image: a,", "image: a, ports: [{containerPort: 80, hostPort: 80}],"),
		"privileged beginning":    with("initContainers: [{name: b, image: b, securityContext: {privileged: true, allowPrivilegeEscalation: true, capabilities: {drop: [ALL]}}}]"),
	}
	add := func(what, by string, try func() error) { all = append(all, trial{what, by, try}) }
	create := func(what, by, group, resource, text string) {
		add(what, by, func() error { return backend.try(t, "create", group, resource, text, "store-matrix") })
	}
	create("a good pod", "", "apps", "deployments", deployment(goodPod))
	for what, pod := range pods {
		create(what, "admission", "apps", "deployments", deployment(pod))
		statefulset := strings.Replace(strings.Replace(deployment(pod), "Deployment", "StatefulSet", 1), "spec: {", "spec: {serviceName: a, ", 1)
		create(what+" (StatefulSet)", "admission", "apps", "statefulsets", statefulset)
		once := strings.Replace(pod, "{", "{restartPolicy: Never, ", 1)
		create(what+" (Job)", "admission", "batch", "jobs", `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: `+once+`}}}`)
		create(what+" (CronJob)", "admission", "batch", "cronjobs", `{apiVersion: batch/v1, kind: CronJob, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: `+once+`}}}}}`)
	}
	for what, text := range map[string]string{
		"a token's Secret":    `{apiVersion: v1, kind: Secret, type: kubernetes.io/service-account-token, metadata: {annotations: {kubernetes.io/service-account.name: default}}}`,
		"a bootstrap token":   `{apiVersion: v1, kind: Secret, type: bootstrap.kubernetes.io/token}`,
		"a registry's Secret": `{apiVersion: v1, kind: Secret, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: "{}"}}`,
	} {
		create(what, "admission", "", "secrets", text)
	}
	for what, spec := range map[string]string{
		"a load balancer":   `{type: LoadBalancer, ports: [{port: 80}]}`,
		"a node's port":     `{type: NodePort, ports: [{port: 80}]}`,
		"an alias":          `{type: ExternalName, externalName: kubernetes.default.svc}`,
		"a foreign address": `{ports: [{port: 80}], externalIPs: [192.0.2.1]}`,
	} {
		create(what, "admission", "", "services", `{apiVersion: v1, kind: Service, spec: `+spec+`}`)
	}
	for what, spec := range map[string]string{
		"the dashboard's host": `{rules: [{host: dashboard.localtest.me}]}`,
		"the API's host":       `{rules: [{host: a.example.com}, {host: api.localtest.me}]}`,
		"every host":           `{rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}`,
		"what is left":         `{defaultBackend: {service: {name: a, port: {number: 80}}}, rules: [{host: a.example.com}]}`,
	} {
		create(what, "admission", "networking.k8s.io", "ingresses", `{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: `+spec+`}`)
	}

	// Namespaces.
	namespaces := backend.admin.CoreV1().Namespaces()
	dry := []string{metav1.DryRunAll}
	for what, it := range map[string]struct {
		name, by string
		labels   map[string]string
	}{
		"a store":                     {"store-a", "", store},
		"without a label":             {"store-a", "admission", map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}},
		"with another name":           {"shop-a", "admission", store},
		"a system's":                  {"kube-extra", "admission", store},
		"without Pod Security":        {"store-a", "admission", map[string]string{"store.urumi.ai/enabled": "true"}},
		"with less Pod Security":      {"store-a", "admission", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "baseline"}},
		"with old Pod Security":       {"store-a", "admission", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/enforce-version": "v1.22"}},
		"with the label switched off": {"store-a", "admission", map[string]string{"store.urumi.ai/enabled": "false", "pod-security.kubernetes.io/enforce": "restricted"}},
	} {
		add("a namespace "+what, it.by, func() error {
			_, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: it.name, Labels: it.labels}}, metav1.CreateOptions{DryRun: dry})
			return err
		})
	}
	for what, it := range map[string]struct{ name, patch, by string }{
		"its record":                {"store-matrix", `{"metadata": {"annotations": {"store.urumi.ai/status": "ready"}}}`, ""},
		"its label":                 {"store-matrix", `{"metadata": {"labels": {"store.urumi.ai/enabled": null}}}`, "admission"},
		"its Pod Security":          {"store-matrix", `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}`, "admission"},
		"its Pod Security, away":    {"store-matrix", `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": null}}}`, "admission"},
		"its Pod Security's age":    {"store-matrix", `{"metadata": {"labels": {"pod-security.kubernetes.io/enforce-version": "v1.22"}}}`, "admission"},
		"a lookalike's label":       {"store-lookalike", `{"metadata": {"labels": {"store.urumi.ai/enabled": "true"}}}`, "admission"},
		"kube-system's label":       {"kube-system", `{"metadata": {"labels": {"store.urumi.ai/enabled": "true"}}}`, "admission"},
		"kube-system's annotations": {"kube-system", `{"metadata": {"annotations": {"a": "b"}}}`, "admission"},
	} {
		add("changing "+what, it.by, func() error {
			_, err := namespaces.Patch(t.Context(), it.name, types.MergePatchType, []byte(it.patch), metav1.PatchOptions{DryRun: dry})
			return err
		})
	}
	for name, by := range map[string]string{"store-matrix": "", "store-lookalike": "admission", "kube-system": "admission", "default": "admission", namespace: "admission"} {
		add("deleting "+name, by, func() error { return namespaces.Delete(t.Context(), name, metav1.DeleteOptions{DryRun: dry}) })
	}
	add("a ConfigMap elsewhere", "admission", func() error {
		return backend.try(t, "create", "", "configmaps", `{apiVersion: v1, kind: ConfigMap}`, "default")
	})
	add("an Event of the audit", "", func() error {
		_, err := backend.admin.CoreV1().Events("default").Create(t.Context(), &corev1.Event{ObjectMeta: metav1.ObjectMeta{Name: "trial", Namespace: "default"}, InvolvedObject: corev1.ObjectReference{Namespace: "default"}}, metav1.CreateOptions{DryRun: dry})
		return err
	})
	return all
}

// What the admission policies refuse, beyond places.
func TestClusterAdmission(t *testing.T) {
	c := connect(t)
	c.install(t, "values-local.yaml")
	backend, _ := c.backend(t)
	for _, it := range c.trials(t, backend) {
		if err := it.try(); refused(err) != it.by {
			t.Errorf("%s: refused by %q, and should be by %q (%v)", it.what, refused(err), it.by, err)
		}
	}

	// What an administrator set on a store stays possible: its record can still be written.
	patch := []byte(`{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}`)
	_, err := c.admin.CoreV1().Namespaces().Patch(t.Context(), "store-matrix", types.MergePatchType, patch, metav1.PatchOptions{})
	must(t, err)
	patch = []byte(`{"metadata": {"annotations": {"a": "b"}}}`)
	_, err = backend.admin.CoreV1().Namespaces().Patch(t.Context(), "store-matrix", types.MergePatchType, patch, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
	must(t, err)
}

// Without any one rule of the admission policies, something is let through that they are there to refuse.
func TestClusterEveryAdmissionRuleIsNeeded(t *testing.T) {
	c := connect(t)
	c.install(t, "values-local.yaml")
	backend, _ := c.backend(t)
	trials := c.trials(t, backend)
	// The first trial that ends otherwise than the rules say; they are read a moment after they are changed.
	unlike := func() string {
		for _, it := range trials {
			if refused(it.try()) != it.by {
				return it.what
			}
		}
		return ""
	}
	policies := c.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	set := func(name string, rules []admissionv1.Validation, done func() bool) bool {
		patch, err := json.Marshal(map[string]any{"spec": map[string]any{"validations": rules}})
		must(t, err)
		_, err = policies.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{})
		must(t, err)
		return wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, func(context.Context) (bool, error) { return done(), nil }) == nil
	}
	rules := 0
	for _, name := range []string{"store-orchestrator-boundary", "store-orchestrator-pods"} {
		policy, err := policies.Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		all := policy.Spec.Validations
		for i, rule := range all {
			rules++
			missed := ""
			if !set(name, slices.Concat(all[:i], all[i+1:]), func() bool { missed = unlike(); return missed != "" }) {
				t.Errorf("nothing is let through without this rule: %s", rule.Expression)
			}
			if !set(name, all, func() bool { return unlike() == "" }) {
				t.Fatalf("%s does not refuse %s any more", name, missed)
			}
			t.Logf("without rule %d of %s: %s", i+1, name, missed)
		}
	}
	if rules < 10 {
		t.Errorf("only %d rules", rules)
	}
}

// Whatever RBAC allows: with an administrator's role bound to it, the ServiceAccount still writes stores only.
func TestClusterAdmissionHoldsWhateverRBACAllows(t *testing.T) {
	c := connect(t)
	c.install(t, "values-local.yaml")
	backend, _ := c.backend(t)
	c.namespace(t, "store-matrix", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted"}, nil)
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "too-much"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "backend", Namespace: namespace}},
	}
	_, err := c.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		_ = c.admin.RbacV1().ClusterRoleBindings().Delete(context.Background(), "too-much", metav1.DeleteOptions{})
	})
	backend.settled(t)
	must(t, wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return backend.may(t, "*", "*", "*", "", ""), nil
	}))
	for _, it := range []struct{ group, resource, text, scope string }{
		{"rbac.authorization.k8s.io", "roles", `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role}`, "store-matrix"},
		{"rbac.authorization.k8s.io", "rolebindings", `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}`, "store-matrix"},
		{"rbac.authorization.k8s.io", "clusterroles", `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole}`, ""},
		{"rbac.authorization.k8s.io", "clusterrolebindings", `{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}`, ""},
		{"", "pods", `{apiVersion: v1, kind: Pod, spec: ` + goodPod + `}`, "store-matrix"},
		{"", "serviceaccounts", `{apiVersion: v1, kind: ServiceAccount}`, "store-matrix"},
		{"", "persistentvolumes", `{apiVersion: v1, kind: PersistentVolume, spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /}}}`, ""},
		{"", "configmaps", `{apiVersion: v1, kind: ConfigMap}`, "kube-system"},
		{"", "secrets", `{apiVersion: v1, kind: Secret}`, "default"},
		{"apps", "daemonsets", strings.Replace(`{apiVersion: apps/v1, kind: DaemonSet, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: POD}}}`, "POD", goodPod, 1), "store-matrix"},
		{"apiextensions.k8s.io", "customresourcedefinitions", `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, spec: {group: example.com, scope: Namespaced, names: {plural: things, singular: thing, kind: Thing}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}}`, ""},
		{"coordination.k8s.io", "leases", `{apiVersion: coordination.k8s.io/v1, kind: Lease}`, "kube-system"},
	} {
		name := "store-trial"
		if it.resource == "customresourcedefinitions" {
			name = "things.example.com"
		}
		at := backend.any.Resource(resourceOf(t, it.group, it.resource)).Namespace(it.scope)
		_, err := at.Create(t.Context(), sample(t, it.text, it.scope, name), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if by := refused(err); by != "admission" {
			t.Errorf("%s in %q: %q", it.resource, it.scope, by)
		}
	}
	secret, err := c.admin.CoreV1().Secrets("store-matrix").Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}, metav1.CreateOptions{})
	must(t, err)
	secret.StringData = map[string]string{"a": "b"}
	if _, err := backend.admin.CoreV1().Secrets("store-matrix").Update(t.Context(), secret, metav1.UpdateOptions{}); refused(err) != "admission" {
		t.Errorf("a Secret may be overwritten: %v", err)
	}
	if err := backend.admin.CoreV1().Secrets("store-matrix").Delete(t.Context(), "kept", metav1.DeleteOptions{}); refused(err) != "admission" {
		t.Errorf("a Secret may be deleted: %v", err)
	}
	if err := backend.admin.CoreV1().Secrets("store-matrix").DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); refused(err) != "admission" {
		t.Errorf("all Secrets may be deleted: %v", err)
	}
	if _, err := backend.admin.CoreV1().ServiceAccounts("kube-system").CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{}); refused(err) != "admission" {
		t.Errorf("it may draw tokens: %v", err)
	}
	if _, err := c.admin.CoreV1().Secrets("store-matrix").Get(t.Context(), "kept", metav1.GetOptions{}); apierrors.IsNotFound(err) {
		t.Error("the Secret is gone")
	}
}
