package tests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const patience = 2 * time.Minute

// A real API server, and an administrator of it.
type cluster struct {
	config *rest.Config
	admin  *kubernetes.Clientset
	any    dynamic.Interface
}

func connect(t *testing.T) cluster {
	t.Helper()
	path := os.Getenv("URUMI_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("needs a real API server: dev/tests/chart/run cluster")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	must(t, err)
	config.QPS = -1
	config.WarningHandlerWithContext = rest.NoWarnings{}
	return cluster{config, kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c cluster) namespace(t *testing.T, name string, labels, annotations map[string]string) {
	t.Helper()
	it := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, Annotations: annotations}}
	_, err := c.admin.CoreV1().Namespaces().Create(t.Context(), it, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() { c.remove(t, name) })
}

// remove deletes a namespace and waits until it is gone.
func (c cluster) remove(t *testing.T, name string) {
	ctx := context.Background()
	if err := c.admin.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Error(err)
	}
	gone := func(ctx context.Context) (bool, error) {
		_, err := c.admin.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err), nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true, gone); err != nil {
		t.Errorf("%s does not go: %v", name, err)
	}
}

// install puts the chart into a namespace that enforces Pod Security `restricted`, and takes it out again.
func (c cluster) install(t *testing.T, values string, args ...string) {
	t.Helper()
	c.namespace(t, namespace, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}, nil)
	if strings.Contains(values, "prod") {
		// What the External Secrets Operator would make.
		c.secret(t, "urumi-tokens", map[string]string{"tokens.yaml": "[]"})
	}
	c.helm(t, slices.Concat([]string{"install", release, chart, "--wait", "--timeout", "2m"}, valuesArgs(values), args)...)
	t.Cleanup(func() {
		if _, errors, err := c.run("uninstall", release, "--ignore-not-found", "--wait"); err != nil {
			t.Errorf("%v %s", err, errors)
		}
	})
}

func (c cluster) run(args ...string) (string, string, error) {
	return helm(append(args, "--namespace", namespace, "--kubeconfig", os.Getenv("URUMI_TEST_KUBECONFIG"))...)
}

func (c cluster) helm(t *testing.T, args ...string) string {
	t.Helper()
	out, errors, err := c.run(args...)
	if err != nil {
		t.Fatalf("helm %s: %v\n%s", args[0], err, errors)
	}
	return out
}

func (c cluster) secret(t *testing.T, name string, data map[string]string) {
	t.Helper()
	it := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}
	_, err := c.admin.CoreV1().Secrets(namespace).Create(t.Context(), it, metav1.CreateOptions{})
	must(t, err)
}

// backend is who has the token of the chart's ServiceAccount, and nothing else; with the kubeconfig's path.
func (c cluster) backend(t *testing.T) (cluster, string) {
	t.Helper()
	hours := int64(2 * 60 * 60)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &hours}}
	token, err := c.admin.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "backend", request, metav1.CreateOptions{})
	must(t, err)
	limited := rest.AnonymousClientConfig(c.config)
	limited.BearerToken = token.Status.Token
	limited.QPS = -1
	limited.WarningHandlerWithContext = rest.NoWarnings{}
	file := clientcmdapi.NewConfig()
	file.Clusters["c"] = &clientcmdapi.Cluster{Server: c.config.Host, CertificateAuthorityData: c.config.CAData}
	if len(c.config.CAData) == 0 {
		file.Clusters["c"].CertificateAuthority = c.config.CAFile
	}
	file.AuthInfos["c"] = &clientcmdapi.AuthInfo{Token: token.Status.Token}
	file.Contexts["c"] = &clientcmdapi.Context{Cluster: "c", AuthInfo: "c"}
	file.CurrentContext = "c"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	must(t, clientcmd.WriteToFile(*file, path))
	return cluster{limited, kubernetes.NewForConfigOrDie(limited), dynamic.NewForConfigOrDie(limited)}, path
}

// urumi runs the command line with an environment of its own.
func urumi(t *testing.T, env []string, args ...string) string {
	t.Helper()
	program := os.Getenv("URUMI")
	if program == "" {
		t.Fatal("URUMI does not say where urumi is")
	}
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, env...)
	var out, errors bytes.Buffer
	command.Stdout, command.Stderr = &out, &errors
	if err := command.Run(); err != nil {
		t.Fatalf("urumi %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errors.String())
	}
	return out.String()
}

// serve starts the backend as the chart would: its settings, its tokens, the ServiceAccount's token. It returns the address.
func (c cluster) serve(t *testing.T, kubeconfig string) string {
	t.Helper()
	folder := t.TempDir()
	config, err := c.admin.CoreV1().ConfigMaps(namespace).Get(t.Context(), "backend", metav1.GetOptions{})
	must(t, err)
	deployment, err := c.admin.AppsV1().Deployments(namespace).Get(t.Context(), "backend", metav1.GetOptions{})
	must(t, err)
	volumes := deployment.Spec.Template.Spec.Volumes
	at := slices.IndexFunc(volumes, func(volume corev1.Volume) bool { return volume.Name == "tokens" })
	tokens, err := c.admin.CoreV1().Secrets(namespace).Get(t.Context(), volumes[at].Secret.SecretName, metav1.GetOptions{})
	must(t, err)
	paths := strings.NewReplacer("/etc/urumi-tokens/", folder+"/", "/etc/urumi/", folder+"/")
	for name, text := range config.Data {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(paths.Replace(text)), 0o600))
	}
	must(t, os.WriteFile(filepath.Join(folder, "tokens.yaml"), tokens.Data["tokens.yaml"], 0o600))
	server := exec.Command(os.Getenv("URUMI_HTTP"), "--config", filepath.Join(folder, "urumi.yaml"), "--kubeconfig", kubeconfig,
		"--listen", "127.0.0.1:0", "--metrics-listen", "off", "--resync", "2s")
	log, err := os.Create(filepath.Join(folder, "log"))
	must(t, err)
	server.Stderr = log
	said, err := server.StdoutPipe()
	must(t, err)
	must(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
		if text := read(t, folder, "log"); t.Failed() {
			t.Logf("the server's log:\n%s", text)
		} else if strings.Contains(text, "orbidden") {
			t.Errorf("the server lacks a permission:\n%s", text)
		}
	})
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "http://"); ok {
			address, _, _ = strings.Cut(address, " ")
			go func() {
				for lines.Scan() {
				}
			}()
			return "http://" + strings.TrimSuffix(address, "/")
		}
	}
	t.Fatalf("the server did not listen:\n%s", read(t, folder, "log"))
	return ""
}

// The kinds that operators bring, as far as the chart needs them here.
func (c cluster) definitions(t *testing.T) {
	t.Helper()
	resource := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	for _, it := range []struct{ group, version, kind string }{
		{"cert-manager.io", "v1", "Certificate"},
		{"traefik.io", "v1alpha1", "TLSStore"},
		{"external-secrets.io", "v1", "ExternalSecret"},
		{"monitoring.coreos.com", "v1", "ServiceMonitor"},
		{"monitoring.coreos.com", "v1", "PrometheusRule"},
	} {
		plural := strings.ToLower(it.kind) + "s"
		definition := map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": map[string]any{"name": plural + "." + it.group},
			"spec": map[string]any{
				"group": it.group, "scope": "Namespaced",
				"names": map[string]any{"plural": plural, "singular": strings.ToLower(it.kind), "kind": it.kind},
				"versions": []any{map[string]any{"name": it.version, "served": true, "storage": true, "schema": map[string]any{
					"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
				}}},
			},
		}
		_, err := c.any.Resource(resource).Create(t.Context(), &unstructured.Unstructured{Object: definition}, metav1.CreateOptions{})
		must(t, err)
		t.Cleanup(func() {
			_ = c.any.Resource(resource).Delete(context.Background(), plural+"."+it.group, metav1.DeleteOptions{})
		})
		served := func(context.Context) (bool, error) {
			_, err := c.admin.Discovery().ServerResourcesForGroupVersion(it.group + "/" + it.version)
			return err == nil, nil
		}
		must(t, wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, served))
	}
}

func TestClusterInstall(t *testing.T) {
	c := connect(t)
	for _, values := range []string{local, prod} {
		t.Run(values, func(t *testing.T) {
			if values == prod {
				c.definitions(t)
			}
			c.install(t, values)
			want := map[string]int{}
			for _, it := range typed[*appsv1.Deployment](render(t, values)) {
				want[it.Name] = int(*it.Spec.Replicas)
			}
			found := map[string]int{}
			all, err := c.admin.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
			must(t, err)
			for _, it := range all.Items {
				found[it.Labels["app.kubernetes.io/name"]]++
			}
			if !maps.Equal(found, want) {
				t.Errorf("pods: %v, and should be %v", found, want)
			}
			events, err := c.admin.CoreV1().Events(namespace).List(t.Context(), metav1.ListOptions{})
			must(t, err)
			for _, it := range events.Items {
				if it.Reason == "FailedCreate" {
					t.Errorf("%s: %s", it.InvolvedObject.Name, it.Message)
				}
			}
			// The API server has checked the types of what the policies say.
			policies, err := c.admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(t.Context(), metav1.ListOptions{})
			must(t, err)
			if len(policies.Items) != 3 {
				t.Errorf("%d policies", len(policies.Items))
			}
			for _, it := range policies.Items {
				if it.Status.TypeChecking != nil && len(it.Status.TypeChecking.ExpressionWarnings) > 0 {
					t.Errorf("%s: %v", it.Name, it.Status.TypeChecking.ExpressionWarnings)
				}
			}
			if _, said, err := c.run("install", "second", chart); err == nil || !strings.Contains(said, "exists") {
				t.Errorf("a second platform was installed: %s", said)
			}
			c.helm(t, "uninstall", release, "--wait")
			for _, it := range render(t, values, "--no-hooks") {
				mapping := schema.GroupVersionResource{Group: it.GroupVersionKind().Group, Version: it.GroupVersionKind().Version, Resource: plural(it.GetKind())}
				_, err := c.any.Resource(mapping).Namespace(it.GetNamespace()).Get(t.Context(), it.GetName(), metav1.GetOptions{})
				if !apierrors.IsNotFound(err) {
					t.Errorf("%s %s is left: %v", it.GetKind(), it.GetName(), err)
				}
			}
		})
	}
}

func plural(kind string) string {
	kind = strings.ToLower(kind)
	switch {
	case strings.HasSuffix(kind, "y"):
		return strings.TrimSuffix(kind, "y") + "ies"
	case strings.HasSuffix(kind, "ss"):
		return kind + "es"
	}
	return kind + "s"
}

// The test that `helm test` runs, by the programs themselves: nodes here run no containers. The values for production are without
// a platform's, whose StorageClass is not there.
func TestClusterStoreIsCreatedAndDeletedAsHelmTestDoes(t *testing.T) {
	c := connect(t)
	for _, values := range []string{local, "values-prod.yaml"} {
		t.Run(values, func(t *testing.T) {
			if values != local {
				c.definitions(t)
			}
			c.install(t, values)
			_, kubeconfig := c.backend(t)
			address := c.serve(t, kubeconfig)
			test := one[*corev1.Pod](t, render(t, values), "test-store")
			file := filepath.Join(t.TempDir(), "token")
			must(t, os.WriteFile(file, []byte(c.testToken(t, test)), 0o600))
			env := []string{"URUMI_SERVER=" + address, "URUMI_TOKEN_FILE=" + file}
			for _, container := range slices.Concat(test.Spec.InitContainers, test.Spec.Containers) {
				if !slices.Equal(container.Command, []string{"urumi"}) {
					t.Fatalf("%v", container.Command)
				}
				urumi(t, env, container.Args...)
			}
			if _, err := c.admin.CoreV1().Namespaces().Get(t.Context(), "store-helm-test-1", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("the store is left: %v", err)
			}
		})
	}
}

// testToken is the token that the pod of `helm test` would have: of a Secret, or of its ServiceAccount.
func (c cluster) testToken(t *testing.T, test *corev1.Pod) string {
	t.Helper()
	for _, it := range test.Spec.Containers[0].Env {
		if it.Name == "URUMI_TOKEN" {
			from := it.ValueFrom.SecretKeyRef
			secret, err := c.admin.CoreV1().Secrets(namespace).Get(t.Context(), from.Name, metav1.GetOptions{})
			must(t, err)
			return string(secret.Data[from.Key])
		}
	}
	projected := test.Spec.Volumes[0].Projected.Sources[0].ServiceAccountToken
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: []string{projected.Audience}, ExpirationSeconds: projected.ExpirationSeconds}}
	token, err := c.admin.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), test.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	must(t, err)
	return token.Status.Token
}

// objectsOf is what a store consists of, with what would change if anybody touched it.
func (c cluster) objectsOf(t *testing.T, store string) map[string]string {
	t.Helper()
	found := map[string]string{}
	ns, err := c.admin.CoreV1().Namespaces().Get(t.Context(), "store-"+store, metav1.GetOptions{})
	must(t, err)
	found["namespace"] = fmt.Sprint(ns.UID, ns.Labels, ns.Annotations, ns.DeletionTimestamp)
	for _, resource := range []schema.GroupVersionResource{
		{Version: "v1", Resource: "secrets"}, {Version: "v1", Resource: "services"}, {Version: "v1", Resource: "persistentvolumeclaims"},
		{Group: "apps", Version: "v1", Resource: "deployments"}, {Group: "apps", Version: "v1", Resource: "statefulsets"},
		{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}, {Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	} {
		all, err := c.any.Resource(resource).Namespace("store-"+store).List(t.Context(), metav1.ListOptions{})
		must(t, err)
		for _, it := range all.Items {
			found[resource.Resource+"/"+it.GetName()] = fmt.Sprint(it.GetUID(), it.GetGeneration(), it.GetDeletionTimestamp())
		}
	}
	if len(found) < 12 {
		t.Fatalf("a store of %d objects", len(found))
	}
	return found
}

func TestClusterUpgradeAndUninstallLeaveStoresAndTokensAlone(t *testing.T) {
	c := connect(t)
	c.install(t, local)
	_, kubeconfig := c.backend(t)
	env := []string{"KUBECONFIG=" + kubeconfig}
	urumi(t, env, "create", "Kept", "--id", "kept", "--wait", "--timeout", "2m")
	t.Cleanup(func() { c.remove(t, "store-kept") })
	before := c.objectsOf(t, "kept")
	tokens := func() string {
		text := ""
		for _, name := range []string{"admin-token", "backend-tokens"} {
			it, err := c.admin.CoreV1().Secrets(namespace).Get(t.Context(), name, metav1.GetOptions{})
			must(t, err)
			text += fmt.Sprint(it.Data)
		}
		return text
	}
	// What somebody added to the file of tokens is theirs.
	file, err := c.admin.CoreV1().Secrets(namespace).Get(t.Context(), "backend-tokens", metav1.GetOptions{})
	must(t, err)
	file.Data["tokens.yaml"] = append(file.Data["tokens.yaml"], []byte("\n- {subject: alice, role: viewer, sha256: "+strings.Repeat("0", 64)+"}\n")...)
	_, err = c.admin.CoreV1().Secrets(namespace).Update(t.Context(), file, metav1.UpdateOptions{})
	must(t, err)
	drawn := tokens()

	c.helm(t, "upgrade", release, chart, "--values", filepath.Join(chart, "values-local.yaml"), "--set", "backend.replicas=2,stores.defaults.medusa.api.replicas=2", "--wait", "--timeout", "2m")
	if tokens() != drawn {
		t.Error("an upgrade has drawn other tokens")
	}
	same := func(after string) {
		t.Helper()
		if found := c.objectsOf(t, "kept"); !maps.Equal(found, before) {
			t.Errorf("%s: the store was\n%v\nand is\n%v", after, before, found)
		}
	}
	same("upgrade")
	c.helm(t, "uninstall", release, "--wait")
	same("uninstall")
	c.helm(t, "install", release, chart, "--values", filepath.Join(chart, "values-local.yaml"), "--wait", "--timeout", "2m")
	// The ServiceAccount is another one, and its token too.
	_, kubeconfig = c.backend(t)
	env = []string{"KUBECONFIG=" + kubeconfig}
	if listed := urumi(t, env, "list", "-o", "name"); !strings.Contains(listed, "kept") {
		t.Errorf("after an installation anew, the store is not found: %s", listed)
	}
	same("installation anew")
	urumi(t, env, "delete", "kept", "--yes", "--wait", "--timeout", "2m")
}

// refused says by whom a request was refused, if it was.
func refused(err error) string {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return ""
	case strings.Contains(err.Error(), "ValidatingAdmissionPolicy 'store-"):
		return "admission"
	// The API server itself does so before any policy is asked: privileged pods where it runs without --allow-privileged, and
	// the deletion of the namespaces that it cannot do without.
	case strings.Contains(err.Error(), "disallowed by cluster policy"), strings.Contains(err.Error(), "this namespace may not be deleted"):
		return "admission"
	case errors.As(err, &status) && apierrors.IsForbidden(err):
		return "RBAC"
	}
	return "error: " + err.Error()
}
