package tests

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
)

// asked are the verbs that an account was granted, by what the audit log says from a place on: `resource verb`.
func asked(t *testing.T, log string, from int64, user string) (map[string]int, []string) {
	t.Helper()
	file, err := os.Open(log)
	must(t, err)
	defer file.Close()
	_, err = file.Seek(from, 0)
	must(t, err)
	used, forbidden := map[string]int{}, []string{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line struct {
			Stage, Verb, RequestURI string
			User                    struct{ Username string }
			ObjectRef               struct{ APIGroup, Resource, Subresource, Name string }
			ResponseStatus          struct {
				Code    int
				Message string
			}
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.User.Username != user || line.ObjectRef.Resource == "" {
			continue
		}
		key := line.ObjectRef.APIGroup + "/" + line.ObjectRef.Resource
		if line.ObjectRef.Subresource != "" {
			key += "/" + line.ObjectRef.Subresource
		}
		if key == "/secrets" && line.Verb == "get" {
			key += "/" + line.ObjectRef.Name
		}
		if line.ResponseStatus.Code == http.StatusForbidden {
			forbidden = append(forbidden, key+" "+line.Verb+": "+line.ResponseStatus.Message)
			continue
		}
		used[key+" "+line.Verb]++
	}
	must(t, lines.Err())
	return used, forbidden
}

// early puts a store on record that an earlier version has begun to make: the settings of such a store are a ConfigMap only as long
// as there are any.
func (c cluster) early(t *testing.T, server []string) {
	t.Helper()
	var list unstructured.UnstructuredList
	text := urumi(t, server, "render", "Early", "--id", "early", "--set", "storefront.theme.colors.accent=#123456", "-o", "json")
	must(t, json.Unmarshal([]byte(text), &list))
	record := list.Items[0]
	annotations := record.GetAnnotations()
	var spec map[string]any
	must(t, json.Unmarshal([]byte(annotations["store.urumi.ai/spec"]), &spec))
	if spec["renderer"] == nil {
		t.Fatalf("the newest way of rendering is not on record: %v", spec)
	}
	delete(spec, "renderer")
	edited, err := json.Marshal(spec)
	must(t, err)
	annotations["store.urumi.ai/spec"] = string(edited)
	record.SetAnnotations(annotations)
	t.Cleanup(func() { c.remove(t, "store-early") })
	_, err = c.any.Resource(resourceOf(t, "", "namespaces")).Create(t.Context(), &record, metav1.CreateOptions{})
	must(t, err)
	urumi(t, server, "wait", "early", "--timeout", "3m")
}

// Every permission of the chart is made use of by a store's life, and nothing beyond them is tried: without any one of them,
// something of this would fail.
func TestClusterEveryPermissionIsUsed(t *testing.T) {
	c := connect(t)
	log := os.Getenv("URUMI_TEST_AUDIT_LOG")
	if log == "" {
		t.Skip("URUMI_TEST_AUDIT_LOG does not say where the audit log is")
	}
	info, err := os.Stat(log)
	must(t, err)
	c.install(t, local)
	_, kubeconfig := c.backend(t)
	address := c.serve(t, kubeconfig)
	token, err := c.admin.CoreV1().Secrets(namespace).Get(t.Context(), "admin-token", metav1.GetOptions{})
	must(t, err)
	server := []string{"URUMI_SERVER=" + address, "URUMI_TOKEN=" + string(token.Data["token"])}
	direct := []string{"KUBECONFIG=" + kubeconfig}

	// A store of everything: limits, quota, a schedule, texts in a ConfigMap, an autoscaler, classes by name.
	options := filepath.Join(t.TempDir(), "options.yaml")
	must(t, os.WriteFile(options, []byte(`
quota: {pods: "30"}
limits: {default: {cpu: 500m, memory: 256Mi}, defaultRequest: {cpu: 10m, memory: 64Mi}}
smoke: {schedule: "0 0 1 1 *"}
redis: {enabled: true}
database: {storage: {className: standard}}
ingress: {className: urumi-test}
storefront: {theme: {colors: {accent: "#123456"}}, autoscaling: {max: 2}}
`), 0o600))
	t.Cleanup(func() { c.remove(t, "store-used") })
	urumi(t, server, "create", "Used", "--id", "used", "--values", options, "--wait", "--timeout", "3m")
	urumi(t, server, "credentials", "used", "--reveal")
	urumi(t, server, "events", "used")
	urumi(t, server, "logs", "used", "--tail", "1")
	urumi(t, server, "diff", "used")
	urumi(t, direct, "doctor", "--domain", "localhost")
	urumi(t, direct, "list")
	urumi(t, direct, "get", "used")

	// Somebody changes one of each kind; the monitor sets it right again.
	drift := []byte(`{"metadata": {"labels": {"app.kubernetes.io/managed-by": "somebody"}}}`)
	repaired := func(group, resource, name string) {
		t.Helper()
		at := c.any.Resource(resourceOf(t, group, resource)).Namespace("store-used")
		if name == "" {
			all, err := at.List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=urumi"})
			must(t, err)
			if len(all.Items) == 0 {
				t.Errorf("the store has no %s", resource)
				return
			}
			name = all.Items[0].GetName()
		}
		_, err := at.Patch(t.Context(), name, types.MergePatchType, drift, metav1.PatchOptions{FieldManager: "somebody"})
		must(t, err)
		var last *unstructured.Unstructured
		right := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, time.Minute, true, func(ctxNow context.Context) (bool, error) {
			last, err = at.Get(ctxNow, name, metav1.GetOptions{})
			return err == nil && last.GetLabels()["app.kubernetes.io/managed-by"] == "urumi", nil
		})
		if right != nil {
			t.Errorf("%s %s is not repaired: %v", resource, name, last.GetLabels())
		}
	}
	for _, it := range [][2]string{{"", "services"}, {"", "configmaps"}, {"", "resourcequotas"}, {"", "limitranges"}, {"apps", "deployments"}, {"apps", "statefulsets"}, {"autoscaling", "horizontalpodautoscalers"}, {"batch", "cronjobs"}, {"networking.k8s.io", "ingresses"}, {"networking.k8s.io", "networkpolicies"}} {
		repaired(it[0], it[1], "")
	}
	// What a change makes superfluous is removed. The eleventh revision makes the first one superfluous, too.
	urumi(t, server, "update", "used", "--unset", "quota", "--unset", "limits", "--unset", "smoke", "--unset", "storefront.theme", "--unset", "storefront.autoscaling", "--unset", "redis", "--set", "proofOfLife.enabled=false", "--wait", "--timeout", "3m")
	for _, it := range [][3]string{{"apps", "deployments", "redis"}, {"autoscaling", "horizontalpodautoscalers", "medusa-storefront"}, {"batch", "cronjobs", "smoke"}, {"networking.k8s.io", "networkpolicies", "redis"}, {"batch", "jobs", "proof-of-life"}} {
		at := c.any.Resource(resourceOf(t, it[0], it[1])).Namespace("store-used")
		gone := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, time.Minute, true, func(ctxNow context.Context) (bool, error) {
			_, err := at.Get(ctxNow, it[2], metav1.GetOptions{})
			return apierrors.IsNotFound(err), nil
		})
		if gone != nil {
			t.Errorf("%s %s is still there", it[1], it[2])
		}
	}
	c.early(t, server)
	urumi(t, server, "update", "early", "--unset", "storefront.theme", "--wait", "--timeout", "3m")
	urumi(t, server, "delete", "early", "--yes")
	for number := range 10 {
		urumi(t, server, "update", "used", "--name", fmt.Sprintf("Used %d", number))
	}
	urumi(t, server, "history", "used")
	urumi(t, server, "rollback", "used", "--wait", "--timeout", "3m")
	urumi(t, server, "delete", "used", "--yes", "--wait", "--timeout", "2m")

	granted := map[string]bool{}
	collect := func(all []rbacv1.PolicyRule) {
		for key, verbs := range rules(all) {
			for _, verb := range verbs {
				granted[key+" "+verb] = true
			}
		}
	}
	objects := render(t, local)
	for _, it := range typed[*rbacv1.ClusterRole](objects) {
		collect(it.Rules)
	}
	for _, it := range typed[*rbacv1.Role](objects) {
		collect(it.Rules)
	}
	var used map[string]int
	var forbidden []string
	missing := func() []string {
		var all []string
		for permission := range granted {
			if used[permission] == 0 {
				all = append(all, permission)
			}
		}
		slices.Sort(all)
		return all
	}
	// The log is written a little later than what it tells of.
	_ = wait.PollUntilContextTimeout(t.Context(), time.Second, 10*time.Second, true, func(context.Context) (bool, error) {
		used, forbidden = asked(t, log, info.Size(), "system:serviceaccount:"+namespace+":backend")
		return len(missing()) == 0, nil
	})
	for _, it := range missing() {
		t.Errorf("nobody needs: %s", it)
	}
	for _, it := range forbidden {
		t.Errorf("forbidden: %s", it)
	}
	t.Logf("%d permissions, made use of: %v", len(granted), slices.Sorted(maps.Keys(used)))
}
