package tests

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// Everything that can be switched on at once, besides what the values files are.
var everything = []string{
	"--set", "backend.autoscaling.enabled=true,dashboard.autoscaling.enabled=true",
	"--set", "auth.tokenReview.enabled=true,auth.tokenReview.audiences={urumi}",
	"--set", "auth.oidc.issuer=https://login.example.com,auth.oidc.audiences={urumi,urumi-cli},auth.oidc.caConfigMap=issuer,auth.oidc.clientId=urumi,auth.oidc.cliClientId=urumi-cli,auth.oidc.scope=openid groups",
	"--set", "auth.roleBindings={admin=team:platform},auth.defaultRole=viewer",
	"--set", "image.pullSecrets={registry},backend.env.A=b,dashboard.env.A=b,backend.otlpEndpoint=http://otel:4318/v1/traces",
	"--set", "networkPolicy.egress[0].cidr=10.0.0.0/8,networkPolicy.egress[0].ports={4318}",
	"--set", "stores.defaults.medusa.database.server.namespace=databases,stores.defaults.medusa.database.server.host=postgres,stores.defaults.medusa.database.server.secretName=administrator",
	"--set", "tls.mode=perHost,tls.distribution=none",
	"--set", "backend.nodeSelector.a=b,backend.tolerations[0].key=a,backend.priorityClassName=high,backend.podLabels.a=b,backend.podAnnotations.a=b",
	"--set", "commonLabels.team=shops,backend.corsOrigins={https://example.com}",
	"--set", "tests.enabled=true,tests.tokenSecret=operator",
}

// each runs a test with each values file, with the defaults, and with everything.
func each(t *testing.T, test func(t *testing.T, objects []object)) {
	t.Helper()
	t.Run("defaults", func(t *testing.T) { test(t, render(t, "")) })
	t.Run("local", func(t *testing.T) { test(t, render(t, local)) })
	t.Run("prod", func(t *testing.T) { test(t, render(t, prod)) })
	t.Run("everything", func(t *testing.T) { test(t, render(t, prod, everything...)) })
}

type pod struct {
	name   string
	labels map[string]string
	spec   corev1.PodSpec
}

func pods(objects []object) []pod {
	var all []pod
	for _, it := range typed[*appsv1.Deployment](objects) {
		all = append(all, pod{it.Name, it.Spec.Template.Labels, it.Spec.Template.Spec})
	}
	for _, it := range typed[*corev1.Pod](objects) {
		all = append(all, pod{it.Name, it.Labels, it.Spec})
	}
	return all
}

func chosen(t *testing.T, objects []object, selector *metav1.LabelSelector) []pod {
	t.Helper()
	choice, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	var all []pod
	for _, it := range pods(objects) {
		if choice.Matches(labels.Set(it.labels)) {
			all = append(all, it)
		}
	}
	return all
}

func TestEveryObjectIsNamedAndLabelled(t *testing.T) {
	clusterWide := []string{"ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	elsewhere := map[string]string{"store-audit": "default", "store-databases": "databases"}
	each(t, func(t *testing.T, objects []object) {
		seen := map[string]bool{}
		for _, it := range objects {
			name := it.GetKind() + " " + it.GetName() + " in " + it.GetNamespace()
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			want := namespace
			if slices.Contains(clusterWide, it.GetKind()) {
				want = ""
			} else if other, ok := elsewhere[it.GetName()]; ok {
				want = other
			}
			if it.GetNamespace() != want {
				t.Errorf("%s should be in %q", name, want)
			}
			for key, value := range map[string]string{"instance": release, "managed-by": "Helm", "part-of": "urumi", "component": "", "name": "", "version": ""} {
				found, ok := it.GetLabels()["app.kubernetes.io/"+key]
				if !ok || found == "" || (value != "" && found != value) {
					t.Errorf("%s has the label %s=%q", name, key, found)
				}
			}
		}
	})
}

// The rules of Pod Security `restricted`, and a little more.
func TestPodsAreRestricted(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		if len(pods(objects)) < 2 {
			t.Fatal("there should be pods of backend and dashboard")
		}
		for _, it := range pods(objects) {
			security := it.spec.SecurityContext
			if security == nil || !*security.RunAsNonRoot || *security.RunAsUser == 0 || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
				t.Errorf("%s runs as root or without seccomp: %v", it.name, security)
			}
			if it.spec.HostNetwork || it.spec.HostPID || it.spec.HostIPC {
				t.Errorf("%s shares something of the node", it.name)
			}
			if *it.spec.AutomountServiceAccountToken != (it.name == "backend") {
				t.Errorf("%s: only the backend may have a token", it.name)
			}
			for _, volume := range it.spec.Volumes {
				if volume.HostPath != nil {
					t.Errorf("%s has a hostPath", it.name)
				}
			}
			for _, container := range slices.Concat(it.spec.InitContainers, it.spec.Containers) {
				security := container.SecurityContext
				if *security.AllowPrivilegeEscalation || !*security.ReadOnlyRootFilesystem || !slices.Equal(security.Capabilities.Drop, []corev1.Capability{"ALL"}) {
					t.Errorf("%s/%s may too much: %v", it.name, container.Name, security)
				}
				if container.Resources.Requests.Cpu().IsZero() || container.Resources.Requests.Memory().IsZero() {
					t.Errorf("%s/%s asks for nothing", it.name, container.Name)
				}
			}
		}
	})
}

func TestPodsStartServeAndStopInOrder(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		for _, it := range typed[*appsv1.Deployment](objects) {
			spec := it.Spec.Template.Spec
			container := spec.Containers[0]
			for what, probe := range map[string]*corev1.Probe{"startup": container.StartupProbe, "liveness": container.LivenessProbe, "readiness": container.ReadinessProbe} {
				if probe == nil {
					t.Errorf("%s has no %s probe", it.Name, what)
				}
			}
			// The wait before, what the server may take (its argument or its settings), and a margin.
			sleep := container.Lifecycle.PreStop.Sleep.Seconds
			if *spec.TerminationGracePeriodSeconds < sleep+25 {
				t.Errorf("%s is killed before it has finished", it.Name)
			}
			if it.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
				t.Errorf("%s has a gap while it is rolled out", it.Name)
			}
			if len(spec.TopologySpreadConstraints) != 2 {
				t.Errorf("%s is not spread", it.Name)
			}
			for _, spread := range spec.TopologySpreadConstraints {
				if len(chosen(t, objects, spread.LabelSelector)) != 1 {
					t.Errorf("%s is spread among others", it.Name)
				}
			}
		}
	})
}

// Whatever chooses pods by labels chooses some, and only those that it is about.
func TestSelectorsFindTheirPods(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		expect := func(what, name string, selector *metav1.LabelSelector) {
			found := chosen(t, objects, selector)
			if len(found) != 1 || !strings.HasPrefix(found[0].name, name) {
				t.Errorf("%s %s chooses %d pods", what, name, len(found))
			}
		}
		for _, it := range typed[*appsv1.Deployment](objects) {
			expect("Deployment", it.Name, it.Spec.Selector)
		}
		for _, it := range typed[*corev1.Service](objects) {
			expect("Service", it.Name, &metav1.LabelSelector{MatchLabels: it.Spec.Selector})
		}
		for _, it := range typed[*policyv1.PodDisruptionBudget](objects) {
			expect("PodDisruptionBudget", it.Name, it.Spec.Selector)
		}
		for _, it := range typed[*autoscalingv2.HorizontalPodAutoscaler](objects) {
			target := one[*appsv1.Deployment](t, objects, it.Spec.ScaleTargetRef.Name)
			if target.Spec.Replicas != nil {
				t.Errorf("%s has a number of replicas besides its autoscaler", it.Name)
			}
		}
		for _, it := range typed[*networkingv1.NetworkPolicy](objects) {
			if it.Name != "default-deny" && it.Name != "acme-solver" {
				expect("NetworkPolicy", it.Name, &it.Spec.PodSelector)
			}
		}
	})
}

func containerPorts(it pod) []string {
	var all []string
	for _, container := range it.spec.Containers {
		for _, port := range container.Ports {
			all = append(all, port.Name, fmt.Sprint(port.ContainerPort))
		}
	}
	return all
}

// From the Ingress to the container, every port is there.
func TestEveryPortExists(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		for _, it := range typed[*networkingv1.Ingress](objects) {
			for _, rule := range it.Spec.Rules {
				for _, path := range rule.HTTP.Paths {
					service := one[*corev1.Service](t, objects, path.Backend.Service.Name)
					if !slices.ContainsFunc(service.Spec.Ports, func(port corev1.ServicePort) bool { return port.Name == path.Backend.Service.Port.Name }) {
						t.Errorf("Ingress %s leads to a port that %s does not have", it.Name, service.Name)
					}
				}
			}
		}
		for _, it := range typed[*corev1.Service](objects) {
			for _, port := range it.Spec.Ports {
				target := chosen(t, objects, &metav1.LabelSelector{MatchLabels: it.Spec.Selector})[0]
				if !slices.Contains(containerPorts(target), port.TargetPort.String()) {
					t.Errorf("Service %s leads to a port that no container has", it.Name)
				}
			}
		}
		for _, it := range pods(objects) {
			for _, container := range it.spec.Containers {
				for _, probe := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
					if probe != nil && probe.HTTPGet != nil && !slices.Contains(containerPorts(it), probe.HTTPGet.Port.String()) {
						t.Errorf("%s is probed at a port that it does not have", it.name)
					}
				}
			}
		}
	})
}

// Nothing is open but what is named: an empty list of peers would mean everybody.
func TestNetworkPoliciesNameWhomTheyLetThrough(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		deny := one[*networkingv1.NetworkPolicy](t, objects, "default-deny")
		if len(chosen(t, objects, &deny.Spec.PodSelector)) != len(pods(objects)) || len(deny.Spec.Ingress)+len(deny.Spec.Egress) != 0 || len(deny.Spec.PolicyTypes) != 2 {
			t.Errorf("default-deny does not close everything: %v", deny.Spec)
		}
		for _, it := range typed[*networkingv1.NetworkPolicy](objects) {
			for _, rule := range it.Spec.Ingress {
				if len(rule.From) == 0 || len(rule.Ports) == 0 {
					t.Errorf("%s lets in everybody", it.Name)
				}
				for _, port := range rule.Ports {
					for _, target := range chosen(t, objects, &it.Spec.PodSelector) {
						if !slices.Contains(containerPorts(target), port.Port.String()) {
							t.Errorf("%s opens a port that %s does not have", it.Name, target.name)
						}
					}
				}
			}
			for _, rule := range it.Spec.Egress {
				if len(rule.To) == 0 || len(rule.Ports) == 0 {
					t.Errorf("%s lets everything out", it.Name)
				}
			}
		}
	})
}

func clusterRole(t *testing.T, objects []object) map[string][]string {
	t.Helper()
	return rules(one[*rbacv1.ClusterRole](t, objects, "store-orchestrator").Rules)
}

// rules are the verbs by group, resource and name.
func rules(all []rbacv1.PolicyRule) map[string][]string {
	verbs := map[string][]string{}
	for _, rule := range all {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				key := group + "/" + resource
				if len(rule.ResourceNames) > 0 {
					key += "/" + strings.Join(rule.ResourceNames, ",")
				}
				verbs[key] = slices.Sorted(slices.Values(slices.Concat(verbs[key], rule.Verbs)))
			}
		}
	}
	return verbs
}

func TestPermissionsAreThoseThatAreDocumented(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(read(t, root, "docs", "PERMISSIONS.md"), -1)
	documented := map[string]map[string][]string{}
	for _, block := range blocks {
		var role rbacv1.ClusterRole
		if err := yaml.UnmarshalStrict([]byte(block[1]), &role); err != nil {
			t.Fatal(err)
		}
		documented[role.Name] = rules(role.Rules)
	}
	objects := render(t, prod, everything...)
	want := documented["store-orchestrator"]
	maps.Copy(want, documented["store-callers"])
	// The policy that asks for it does not apply to the backend.
	if verbs := want["store.urumi.ai/records"]; !slices.Equal(verbs, []string{"write"}) {
		t.Errorf("the records may be %v", verbs)
	}
	delete(want, "store.urumi.ai/records")
	if found := clusterRole(t, objects); !maps.EqualFunc(found, want, slices.Equal) {
		t.Errorf("the ClusterRole is\n%v\nand docs/PERMISSIONS.md says\n%v", found, want)
	}
	for _, name := range []string{"store-audit", "store-databases"} {
		found := rules(one[*rbacv1.Role](t, objects, name).Rules)
		if !maps.EqualFunc(found, documented[name], slices.Equal) {
			t.Errorf("%s is %v and docs/PERMISSIONS.md says %v", name, found, documented[name])
		}
	}
}

func TestPermissionsAreNarrow(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		var all []rbacv1.PolicyRule
		for _, it := range typed[*rbacv1.ClusterRole](objects) {
			all = append(all, it.Rules...)
		}
		for _, it := range typed[*rbacv1.Role](objects) {
			all = append(all, it.Rules...)
		}
		for _, rule := range all {
			for _, part := range slices.Concat(rule.APIGroups, rule.Resources, rule.Verbs) {
				if part == "*" || slices.Contains([]string{"escalate", "bind", "impersonate", "deletecollection", "rbac.authorization.k8s.io"}, part) {
					t.Errorf("%q is never needed: %v", part, rule)
				}
			}
		}
		if found := clusterRole(t, objects)["/secrets"]; !slices.Equal(found, []string{"create"}) {
			t.Errorf("Secrets may be %v", found)
		}
		for _, it := range typed[*rbacv1.ClusterRoleBinding](objects) {
			if len(it.Subjects) != 1 || it.Subjects[0].Name != "backend" || it.Subjects[0].Namespace != namespace {
				t.Errorf("%s is bound to %v", it.Name, it.Subjects)
			}
		}
	})
}

// Every switch takes away what it is for, and nothing else breaks.
func TestSwitches(t *testing.T) {
	for setting, gone := range map[string][]string{
		"dashboard.enabled=false":                   {"Deployment dashboard", "Service dashboard", "Ingress dashboard", "ServiceAccount dashboard"},
		"ingress.enabled=false":                     {"Ingress dashboard", "Ingress api"},
		"ingress.api.enabled=false":                 {"Ingress api"},
		"backend.podDisruptionBudget.enabled=false": {"PodDisruptionBudget backend"},
		"networkPolicy.enabled=false":               {"NetworkPolicy default-deny", "NetworkPolicy backend", "NetworkPolicy test"},
		"admissionPolicy.enabled=false":             {"ValidatingAdmissionPolicy store-orchestrator-boundary", "ValidatingAdmissionPolicy store-orchestrator-pods", "ValidatingAdmissionPolicy store-records"},
		"rbac.auditEvents=false":                    {"Role store-audit", "RoleBinding store-audit"},
		"rbac.leases=false":                         {"Role backend-leases", "RoleBinding backend-leases"},
		"tests.enabled=false":                       {"Pod test-store", "NetworkPolicy test"},
		"auth.tokens.existingSecret=mine":           {"Secret backend-tokens", "Secret admin-token"},
		"backend.serviceAccount.create=false,backend.serviceAccount.name=mine":     {"ServiceAccount backend"},
		"dashboard.serviceAccount.create=false,dashboard.serviceAccount.name=mine": {"ServiceAccount dashboard"},
	} {
		objects := render(t, "", "--set", setting)
		plain := render(t, "")
		for _, name := range gone {
			kind, name, _ := strings.Cut(name, " ")
			if has(objects, kind, name) || !has(plain, kind, name) {
				t.Errorf("%s: %s %s", setting, kind, name)
			}
		}
	}
	without := func(setting, permission string) {
		if _, ok := clusterRole(t, render(t, "", "--set", setting))[permission]; ok {
			t.Errorf("%s leaves %s", setting, permission)
		}
	}
	without("rbac.revealCredentials=false", "/secrets/medusa-admin")
	without("rbac.storeLogs=false", "/pods/log")
	without("auth.tokenReview.enabled=false", "authentication.k8s.io/tokenreviews")
}

// The admission policies' rules, in one text.
func policies(t *testing.T, args ...string) string {
	t.Helper()
	var all strings.Builder
	for _, it := range typed[*admissionv1.ValidatingAdmissionPolicy](render(t, "", args...)) {
		for _, variable := range it.Spec.Variables {
			fmt.Fprintln(&all, variable.Name, variable.Expression)
		}
		for _, rule := range it.Spec.Validations {
			fmt.Fprintln(&all, rule.Expression, rule.Message, rule.MessageExpression)
		}
	}
	return all.String()
}

func TestAdmissionPoliciesFollowTheValues(t *testing.T) {
	plain := policies(t)
	if policies(t, "--set", "ingress.enabled=false") != plain {
		t.Error("without Ingresses of the platform, stores have other hosts")
	}
	const server = "stores.defaults.medusa.database.server."
	// The engine takes the same image for databases of its own and for a server's Jobs.
	image, _ := dig(jsonSchema(t), "$defs/medusa/properties/database/properties/image/default").(string)
	repository, _, _ := strings.Cut(image, ":")
	for _, it := range []struct{ args, says, not string }{
		{"domain=example.com", `["example.com"].map(`, "localtest.me"},
		{"stores.domains={shops.example.com,localtest.me},stores.defaults.medusa.domain=default.example.com", `["localtest.me","default.example.com","shops.example.com"].map(`, ""},
		{"tls.secretName=a,stores.defaults.medusa.tls.secretName=b", `["a","b"]`, "wildcard-tls"},
		{"stores.imagePrefixes={redis:}", `["redis:"].exists(`, ""},
		{"ingress.enabled=true", "", "stores.imagePrefixes"},
		{server + "namespace=databases," + server + "host=a," + server + "secretName=b", `{"host":"a","image":"` + repository + `","secret":"b"}].exists(`, ""},
		{server + "namespace=databases," + server + "image=localhost:5000/postgres", `"image":"localhost:5000/postgres"`, ""},
		{server + "namespace=databases," + server + "image=localhost:5000/postgres:15@sha256:a", `"image":"localhost:5000/postgres"`, ""},
	} {
		text := policies(t, "--set", it.args)
		if !strings.Contains(text, it.says) || (it.not != "" && strings.Contains(text, it.not)) {
			t.Errorf("%s: %s", it.args, text)
		}
	}
}

func TestRecordWriters(t *testing.T) {
	if objects := render(t, ""); has(objects, "ClusterRole", "store-records") {
		t.Error("somebody may write records, and nobody was named")
	}
	objects := render(t, "", "--set-json", `admissionPolicy.recordWriters=[{"kind": "Group", "name": "platform:team"}, {"kind": "ServiceAccount", "name": "velero", "namespace": "backup"}]`)
	if found := rules(one[*rbacv1.ClusterRole](t, objects, "store-records").Rules); len(found) != 1 || !slices.Equal(found["store.urumi.ai/records"], []string{"write"}) {
		t.Errorf("%v", found)
	}
	want := []rbacv1.Subject{{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "platform:team"}, {Kind: "ServiceAccount", Name: "velero", Namespace: "backup"}}
	if found := one[*rbacv1.ClusterRoleBinding](t, objects, "store-records").Subjects; !slices.Equal(found, want) {
		t.Errorf("%v", found)
	}
}

// settings are those of the backend, as it reads them.
func settings(t *testing.T, objects []object) (map[string]any, map[string]any) {
	t.Helper()
	config := one[*corev1.ConfigMap](t, objects, "backend")
	var server, engines map[string]any
	for key, into := range map[string]*map[string]any{"urumi.yaml": &server, "engine-defaults.yaml": &engines} {
		if err := yaml.UnmarshalStrict([]byte(config.Data[key]), into); err != nil {
			t.Fatalf("%s: %v\n%s", key, err, config.Data[key])
		}
	}
	return server, engines
}

func dig(from map[string]any, path string) any {
	var at any = from
	for part := range strings.SplitSeq(path, "/") {
		inner, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = inner[part]
	}
	return at
}

func TestDefaultsReachEveryStore(t *testing.T) {
	_, laptop := settings(t, render(t, local))
	if dig(laptop, "medusa/tls") != nil || dig(laptop, "medusa/quota") != nil || dig(laptop, "medusa/database/storage/size") != "1Gi" {
		t.Errorf("local: %v", laptop)
	}
	server, production := settings(t, render(t, prod))
	for path, want := range map[string]string{
		"medusa/tls/secretName": "wildcard-tls", "medusa/ingress/className": "traefik", "medusa/quota/pods": "20",
		"medusa/limits/default/memory": "256Mi", "medusa/database/storage/className": "local-path",
	} {
		if dig(production, path) != want {
			t.Errorf("prod: %s is %v", path, dig(production, path))
		}
	}
	if server["domain"] != "stores.example.com" {
		t.Errorf("prod: %v", server)
	}
	_, issuer := settings(t, render(t, prod, "--set", "tls.mode=perHost,tls.distribution=none"))
	if dig(issuer, "medusa/tls/clusterIssuer") != "letsencrypt" || dig(issuer, "medusa/tls/secretName") != nil {
		t.Errorf("perHost: %v", issuer)
	}
	_, own := settings(t, render(t, prod, "--set", "stores.defaults.medusa.tls.issuer=mine,stores.defaults.medusa.ingress.className=other"))
	if dig(own, "medusa/tls/issuer") != "mine" || dig(own, "medusa/tls/secretName") != nil || dig(own, "medusa/ingress/className") != "other" {
		t.Errorf("what is said of stores counts: %v", own)
	}
}

// The program itself reads what it is given.
func TestTheServerAcceptsItsSettings(t *testing.T) {
	program := os.Getenv("URUMI_HTTP")
	if program == "" {
		t.Skip("URUMI_HTTP does not say where urumi-http is")
	}
	each(t, func(t *testing.T, objects []object) {
		folder := t.TempDir()
		config := one[*corev1.ConfigMap](t, objects, "backend")
		for name, text := range config.Data {
			text = strings.NewReplacer("/etc/urumi-tokens/", folder+"/", "/etc/urumi/", folder+"/", "/etc/urumi-issuer/", folder+"/").Replace(text)
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.Command(program, "--config", filepath.Join(folder, "urumi.yaml"), "--print-config").CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// So does the dashboard: it starts with its arguments, and has the page and the path that it is probed at.
func TestTheDashboardStartsWithItsArguments(t *testing.T) {
	program := os.Getenv("URUMI_HTTP")
	if program == "" {
		t.Skip("URUMI_HTTP does not say where urumi-http is")
	}
	container := one[*appsv1.Deployment](t, render(t, prod, everything...), "dashboard").Spec.Template.Spec.Containers[0]
	var args []string
	for _, arg := range container.Args {
		arg = strings.NewReplacer("0.0.0.0:8080", "127.0.0.1:0", "0.0.0.0:9090", "off").Replace(arg)
		args = append(args, arg)
	}
	server := exec.Command(program, args...)
	var log strings.Builder
	server.Stderr = &log
	said, err := server.StdoutPipe()
	must(t, err)
	must(t, server.Start())
	defer func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	}()
	lines := bufio.NewScanner(said)
	if !lines.Scan() {
		t.Fatalf("it did not start: %s", log.String())
	}
	_, address, ok := strings.Cut(lines.Text(), "http://")
	if !ok {
		t.Fatalf("it says %q", lines.Text())
	}
	host, _, _ := strings.Cut(address, "/")
	answer, err := http.Get("http://" + host + container.ReadinessProbe.HTTPGet.Path)
	must(t, err)
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the page answers %s", answer.Status)
	}
}

func TestSettingsThatChangeRollThePods(t *testing.T) {
	sum := func(args ...string) string {
		return one[*appsv1.Deployment](t, render(t, "", args...), "backend").Spec.Template.Annotations["checksum/config"]
	}
	if sum() != sum() {
		t.Error("without a change, pods stay")
	}
	for _, setting := range []string{"backend.deadline=20m", "stores.defaults.medusa.api.replicas=2", "ingress.className=nginx"} {
		if sum() == sum("--set", setting) {
			t.Errorf("%s is not read by running pods", setting)
		}
	}
}

// The token is one that the server takes: its checksum is right, and the file has its hash.
func TestTheDrawnTokenIsWellFormed(t *testing.T) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	seen := map[string]bool{}
	for range 20 {
		objects := render(t, "")
		token := string(one[*corev1.Secret](t, objects, "admin-token").Data["token"])
		body, ok := strings.CutPrefix(token, "urumi_")
		if !ok || len(body) != 49 || seen[token] {
			t.Fatalf("a token of %d characters", len(token))
		}
		seen[token] = true
		rest, sum := crc32.ChecksumIEEE([]byte(body[:43])), ""
		for range 6 {
			sum = string(digits[rest%62]) + sum
			rest /= 62
		}
		if body[43:] != sum {
			t.Errorf("its checksum is %s and should be %s", body[43:], sum)
		}
		hash := sha256.Sum256([]byte(token))
		file := string(one[*corev1.Secret](t, objects, "backend-tokens").Data["tokens.yaml"])
		var entries []map[string]string
		if err := yaml.Unmarshal([]byte(file), &entries); err != nil || len(entries) != 1 {
			t.Fatalf("%v %s", err, file)
		}
		if entries[0]["sha256"] != hex.EncodeToString(hash[:]) || entries[0]["role"] != "admin" || strings.Contains(file, token) {
			t.Errorf("the file is %s", file)
		}
	}
}

func TestOnALaptopNothingMustBeInstalledBefore(t *testing.T) {
	objects := render(t, local)
	for _, it := range objects {
		if it.typed == nil {
			t.Errorf("%s is no kind of Kubernetes' own", it.GetKind())
		}
	}
	for _, it := range typed[*networkingv1.Ingress](objects) {
		if len(it.Spec.TLS) != 0 {
			t.Errorf("%s has TLS", it.Name)
		}
	}
	for _, it := range typed[*appsv1.Deployment](objects) {
		if *it.Spec.Replicas != 1 || len(it.Spec.Template.Spec.Containers[0].Resources.Limits) != 0 {
			t.Errorf("%s is not small", it.Name)
		}
	}
}

func TestProduction(t *testing.T) {
	objects := render(t, prod)
	for name, replicas := range map[string]int32{"backend": 3, "dashboard": 2} {
		it := one[*appsv1.Deployment](t, objects, name)
		if *it.Spec.Replicas != replicas || len(it.Spec.Template.Spec.Containers[0].Resources.Limits) != 2 {
			t.Errorf("%s has %d replicas", name, *it.Spec.Replicas)
		}
	}
	certificate := find(t, objects, "Certificate", "wildcard")
	if at(certificate, "spec", "dnsNames").([]any)[0] != "*.stores.example.com" || at(certificate, "spec", "issuerRef", "name") != "letsencrypt" {
		t.Errorf("%v", certificate)
	}
	for name, host := range map[string]string{"dashboard": "dashboard.stores.example.com", "api": "api.stores.example.com"} {
		it := one[*networkingv1.Ingress](t, objects, name)
		if it.Spec.TLS[0].Hosts[0] != host || it.Spec.Rules[0].Host != host || it.Spec.TLS[0].SecretName != at(certificate, "spec", "secretName") {
			t.Errorf("%v", it.Spec)
		}
		if *it.Spec.IngressClassName != "traefik" || it.Annotations["traefik.ingress.kubernetes.io/router.entrypoints"] != "websecure" {
			t.Errorf("%v", it)
		}
	}
	if at(find(t, objects, "TLSStore", "default"), "spec", "defaultCertificate", "secretName") != "wildcard-tls" {
		t.Error("stores do not get the certificate")
	}
	external := find(t, objects, "ExternalSecret", "urumi-tokens")
	if at(external, "spec", "secretStoreRef", "name") != "production" || has(objects, "Secret", "") {
		t.Errorf("%v", external)
	}
	mounted := one[*appsv1.Deployment](t, objects, "backend").Spec.Template.Spec.Volumes
	if !slices.ContainsFunc(mounted, func(v corev1.Volume) bool { return v.Secret != nil && v.Secret.SecretName == "urumi-tokens" }) {
		t.Error("the backend does not read that Secret")
	}
	for _, name := range []string{"backend", "dashboard"} {
		monitor := find(t, objects, "ServiceMonitor", name)
		service := one[*corev1.Service](t, objects, name)
		for key, value := range at(monitor, "spec", "selector", "matchLabels").(map[string]any) {
			if service.Labels[key] != value {
				t.Errorf("Prometheus does not find the Service %s: %s", name, key)
			}
		}
		port := at(monitor, "spec", "endpoints").([]any)[0].(map[string]any)["port"]
		if !slices.ContainsFunc(service.Spec.Ports, func(it corev1.ServicePort) bool { return it.Name == port }) {
			t.Errorf("the Service %s has no port %v", name, port)
		}
	}
}

// Alerts and panels ask for figures that there are.
func TestEveryMetricExists(t *testing.T) {
	source := ""
	for _, folder := range []string{"urumi-core", "urumi-http"} {
		err := filepath.WalkDir(filepath.Join(root, folder, "src"), func(path string, entry os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".rs") {
				source += read(t, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	known := map[string]bool{}
	for _, found := range regexp.MustCompile(`"(urumi_[a-z_]+)"`).FindAllStringSubmatch(source, -1) {
		known[found[1]] = true
	}
	objects := render(t, prod)
	var expressions []string
	for _, group := range at(find(t, objects, "PrometheusRule", "urumi"), "spec", "groups").([]any) {
		for _, rule := range group.(map[string]any)["rules"].([]any) {
			rule := rule.(map[string]any)
			expressions = append(expressions, rule["expr"].(string))
			page, anchor, _ := strings.Cut(rule["annotations"].(map[string]any)["runbook_url"].(string), "#")
			if anchor != strings.ToLower(rule["alert"].(string)) || !strings.HasSuffix(page, "/docs/OPERATIONS.md") {
				t.Errorf("%v leads to %s#%s", rule["alert"], page, anchor)
			}
			if !strings.Contains(read(t, root, "docs", "OPERATIONS.md"), "### "+rule["alert"].(string)+"\n") {
				t.Errorf("docs/OPERATIONS.md does not say what to do about %v", rule["alert"])
			}
		}
	}
	dashboard := one[*corev1.ConfigMap](t, objects, "urumi-grafana-dashboard").Data["urumi.json"]
	var panels struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal([]byte(dashboard), &panels); err != nil {
		t.Fatal(err)
	}
	for _, panel := range panels.Panels {
		for _, target := range panel.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	if len(expressions) < 25 {
		t.Errorf("only %d expressions", len(expressions))
	}
	for _, expression := range expressions {
		for _, name := range regexp.MustCompile(`urumi_[a-z_]+`).FindAllString(expression, -1) {
			if !known[strings.TrimSuffix(name, "_bucket")] {
				t.Errorf("there is no %s", name)
			}
		}
	}
}

func TestImages(t *testing.T) {
	image := func(args ...string) string {
		return one[*appsv1.Deployment](t, render(t, "", args...), "backend").Spec.Template.Spec.Containers[0].Image
	}
	digest := "sha256:" + strings.Repeat("0", 64)
	for want, args := range map[string][]string{
		"ghcr.io/urumi/urumi:0.1.0":      nil,
		"ghcr.io/urumi/urumi:2":          {"--set-string", "image.tag=2"},
		"example.com:5000/a/b@" + digest: {"--set", "image.repository=example.com:5000/a/b,image.digest=" + digest},
	} {
		if found := image(args...); found != want {
			t.Errorf("%v gives %s", args, found)
		}
	}
}

func TestNotesSayHowToReachIt(t *testing.T) {
	for values, want := range map[string][]string{
		local: {"http://dashboard.localtest.me", "umask 077; kubectl -n urumi get secret admin-token", "--server http://api.localtest.me --token-file urumi-platform-token --use", "`helm test urumi-platform"},
		prod:  {"https://dashboard.stores.example.com", "Secret urumi-tokens", "--server https://api.stores.example.com", "`helm test urumi-platform"},
	} {
		said := notes(t, values)
		for _, part := range want {
			if !strings.Contains(said, part) {
				t.Errorf("%s: the notes do not say %q:\n%s", values, part, said)
			}
		}
	}
	for settings, part := range map[string]string{
		"ingress.api.enabled=false":                     "--server http://dashboard.localtest.me ",
		"ingress.enabled=false":                         "service/dashboard 8080:80",
		"ingress.enabled=false,dashboard.enabled=false": "--server http://localhost:8080 ",
		"fullnameOverride=shop":                         "get secret shop-admin-token",
		"auth.tokens.existingSecret=mine":               "`helm test` has no token and fails",
		"auth.tokens.enabled=false,auth.oidc.issuer=https://login.example.com,auth.oidc.audiences={urumi},auth.defaultRole=viewer": "     urumi login http://api.localtest.me\n\n  2. Create a store.",
		"auth.oidc.issuer=https://login.example.com,auth.oidc.audiences={urumi},auth.defaultRole=viewer":                           "sign in with `urumi login http://api.localtest.me` instead of a token",
	} {
		if said := notes(t, "", "--set", settings); !strings.Contains(said, part) {
			t.Errorf("%s: the notes do not say %q:\n%s", settings, part, said)
		}
	}
}

// notes are what people read after an installation.
func notes(t *testing.T, values string, args ...string) string {
	t.Helper()
	all := slices.Concat([]string{"install", release, chart, "--namespace", namespace, "--dry-run=client"}, valuesArgs(values), args)
	out, errors, err := helm(all...)
	if err != nil {
		t.Fatalf("%v %s", err, errors)
	}
	_, said, _ := strings.Cut(out, "NOTES:")
	return said
}

// The notes lead to the server that was installed: a command without a server would act on the kubeconfig's cluster.
func TestTheNotesMakeTheServerTheDefault(t *testing.T) {
	program := os.Getenv("URUMI")
	if program == "" {
		t.Skip("URUMI does not say where urumi is")
	}
	line := regexp.MustCompile(`(?m)^ +urumi (context set .+)$`).FindStringSubmatch(notes(t, local))
	if line == nil {
		t.Fatal("the notes set no context")
	}
	home := t.TempDir()
	must(t, os.WriteFile(filepath.Join(home, release+"-token"), []byte("urumi_x"), 0o600))
	run := func(args ...string) string {
		command := exec.Command(program, args...)
		command.Dir, command.Env = home, []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("urumi %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run(strings.Fields(line[1])...)
	var contexts []struct {
		Name, Server string
		Current      bool
	}
	must(t, json.Unmarshal([]byte(run("context", "list", "--output", "json")), &contexts))
	if len(contexts) != 1 || !contexts[0].Current || contexts[0].Server != "http://api.localtest.me" {
		t.Errorf("%v", contexts)
	}
}
