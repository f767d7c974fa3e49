package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

// What each prefix of names is set with.
var prefixes = map[string]string{
	"fullnameOverride=shop": "shop-",
	"nameOverride=stores":   release + "-stores-",
	"nameOverride=platform": release + "-",
}

// Names that others decide on.
var fixed = []string{"TLSStore default", "ExternalSecret urumi-tokens"}

func TestNamesInThePlatformsNamespaceHaveThePrefix(t *testing.T) {
	for setting, prefix := range prefixes {
		t.Run(setting, func(t *testing.T) {
			for _, args := range [][]string{nil, {"--set", "auth.tokens.existingSecret=,auth.tokens.externalSecret.enabled=false,auth.tokenReview.enabled=false,dashboard.service.type=NodePort"}, everything} {
				plain, renamed := render(t, prod, args...), render(t, prod, append([]string{"--set", setting}, args...)...)
				if len(plain) != len(renamed) {
					t.Fatalf("%d objects, and %d of other names", len(plain), len(renamed))
				}
				for _, it := range plain {
					name := it.GetName()
					if it.GetNamespace() == namespace && !slices.Contains(fixed, it.GetKind()+" "+name) {
						name = prefix + name
					}
					if !has(renamed, it.GetKind(), name) {
						t.Errorf("there is no %s %s", it.GetKind(), name)
					}
				}
				for _, missing := range references(renamed) {
					t.Error(missing)
				}
			}
		})
	}
}

func TestNothingRefersToWhatIsNotThere(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		for _, missing := range references(objects) {
			t.Error(missing)
		}
	})
}

// references are what objects refer to by name in vain.
func references(objects []object) []string {
	var missing []string
	need := func(by, kind, name string) {
		// Secrets and ConfigMaps of others: those that the values name.
		given := []string{"urumi-tokens", "issuer", "operator", "registry", "wildcard-tls"}
		if !has(objects, kind, name) && !slices.Contains(given, name) {
			missing = append(missing, by+" refers to the "+kind+" "+name)
		}
	}
	for _, it := range pods(objects) {
		if it.spec.ServiceAccountName != "" {
			need(it.name, "ServiceAccount", it.spec.ServiceAccountName)
		}
		for _, volume := range it.spec.Volumes {
			if volume.ConfigMap != nil {
				need(it.name, "ConfigMap", volume.ConfigMap.Name)
			}
			if volume.Secret != nil {
				need(it.name, "Secret", volume.Secret.SecretName)
			}
		}
		for _, container := range slices.Concat(it.spec.InitContainers, it.spec.Containers) {
			for _, variable := range container.Env {
				if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
					need(it.name, "Secret", variable.ValueFrom.SecretKeyRef.Name)
				}
				if host, ok := strings.CutPrefix(variable.Value, "http://"); ok && variable.Name == "URUMI_SERVER" {
					need(it.name, "Service", host)
				}
			}
			for _, arg := range container.Args {
				if host, ok := strings.CutPrefix(arg, "--api-url=http://"); ok {
					need(it.name, "Service", host)
				}
			}
		}
	}
	for _, it := range typed[*networkingv1.Ingress](objects) {
		for _, rule := range it.Spec.Rules {
			need(it.Name, "Service", rule.HTTP.Paths[0].Backend.Service.Name)
		}
	}
	for _, it := range typed[*autoscalingv2.HorizontalPodAutoscaler](objects) {
		need(it.Name, it.Spec.ScaleTargetRef.Kind, it.Spec.ScaleTargetRef.Name)
	}
	account := ""
	subjects := func(by, kind, role string, all []rbacv1.Subject) {
		need(by, kind, role)
		for _, it := range all {
			if it.Kind == "ServiceAccount" && it.Namespace == namespace {
				need(by, "ServiceAccount", it.Name)
				account = "system:serviceaccount:" + namespace + ":" + it.Name
			}
		}
	}
	for _, it := range typed[*rbacv1.RoleBinding](objects) {
		subjects(it.Name, it.RoleRef.Kind, it.RoleRef.Name, it.Subjects)
	}
	for _, it := range typed[*rbacv1.ClusterRoleBinding](objects) {
		if it.Name == "store-orchestrator" {
			subjects(it.Name, it.RoleRef.Kind, it.RoleRef.Name, it.Subjects)
		}
	}
	for _, it := range typed[*admissionv1.ValidatingAdmissionPolicy](objects) {
		if !strings.HasSuffix(it.Spec.MatchConditions[0].Expression, "= '"+account+"'") {
			missing = append(missing, it.Name+" is about "+it.Spec.MatchConditions[0].Expression+", and the backend is "+account)
		}
	}
	return missing
}

// The permissions and the admission policies are those of the ServiceAccount, whatever its name is.
func TestTheServiceAccountIsTheBackends(t *testing.T) {
	for setting, want := range map[string]string{
		"tests.enabled=true":    "backend",
		"fullnameOverride=shop": "shop-backend",
		"nameOverride=stores":   release + "-stores-backend",
		"backend.serviceAccount.name=mine,fullnameOverride=shop":               "mine",
		"backend.serviceAccount.create=false,backend.serviceAccount.name=mine": "mine",
	} {
		objects := render(t, "", "--set", setting)
		for _, it := range typed[*appsv1.Deployment](objects) {
			if strings.HasSuffix(it.Name, "backend") && it.Spec.Template.Spec.ServiceAccountName != want {
				t.Errorf("%s: the pods are %s", setting, it.Spec.Template.Spec.ServiceAccountName)
			}
		}
		bindings := 0
		for _, it := range typed[*rbacv1.RoleBinding](objects) {
			bindings++
			if it.Subjects[0].Name != want {
				t.Errorf("%s: %s is bound to %v", setting, it.Name, it.Subjects)
			}
		}
		if one[*rbacv1.ClusterRoleBinding](t, objects, "store-orchestrator").Subjects[0].Name != want || bindings != 2 {
			t.Errorf("%s: the permissions are another's", setting)
		}
		policies := typed[*admissionv1.ValidatingAdmissionPolicy](objects)
		for _, it := range policies {
			if !strings.HasSuffix(it.Spec.MatchConditions[0].Expression, "= 'system:serviceaccount:"+namespace+":"+want+"'") {
				t.Errorf("%s: %s is about %s", setting, it.Name, it.Spec.MatchConditions[0].Expression)
			}
		}
		if len(policies) != 3 {
			t.Errorf("%s: %d policies", setting, len(policies))
		}
	}
}

func TestGlobalValues(t *testing.T) {
	deployment := func(args ...string) corev1.PodSpec {
		return one[*appsv1.Deployment](t, render(t, "", args...), "backend").Spec.Template.Spec
	}
	for repository, want := range map[string]string{
		"ghcr.io/urumi/urumi":      "mirror.example.com:5000/proxy/urumi/urumi:0.1.0",
		"localhost/urumi":          "mirror.example.com:5000/proxy/urumi:0.1.0",
		"registry:5000/shop/urumi": "mirror.example.com:5000/proxy/shop/urumi:0.1.0",
		"urumi/urumi":              "mirror.example.com:5000/proxy/urumi/urumi:0.1.0",
		"urumi":                    "mirror.example.com:5000/proxy/urumi:0.1.0",
	} {
		if found := deployment("--set", "global.imageRegistry=mirror.example.com:5000/proxy,image.repository="+repository).Containers[0].Image; found != want {
			t.Errorf("%s is pulled as %s", repository, found)
		}
	}
	spec := deployment("--set-json", `global.imagePullSecrets=["a", {"name": "b"}]`, "--set", "image.pullSecrets={b,c}")
	if want := []corev1.LocalObjectReference{{Name: "a"}, {Name: "b"}, {Name: "c"}}; !slices.Equal(spec.ImagePullSecrets, want) {
		t.Errorf("%v", spec.ImagePullSecrets)
	}
}

// Beside other charts, below a common one: global values of others are no mistake.
func TestTheChartIsASubchart(t *testing.T) {
	folder := t.TempDir()
	must(t, os.CopyFS(filepath.Join(folder, "charts", "store-platform"), os.DirFS(chart)))
	for name, text := range map[string]string{
		"Chart.yaml": "{apiVersion: v2, name: shops, version: 1.0.0}",
		"values.yaml": `
global: {imageRegistry: mirror.example.com, imagePullSecrets: [mirror], storageClass: fast, security: {allowInsecureImages: true}}
store-platform: {domain: shops.example.com, fullnameOverride: shops-platform, tests: {enabled: false}}
`,
	} {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	out, errors, err := helm("template", release, folder, "--namespace", namespace, "--kube-version", "1.37.0")
	if err != nil {
		t.Fatalf("%v\n%s", err, errors)
	}
	objects := parse(t, out)
	spec := one[*appsv1.Deployment](t, objects, "shops-platform-backend").Spec.Template.Spec
	if spec.Containers[0].Image != "mirror.example.com/urumi/urumi:0.1.0" || spec.ImagePullSecrets[0].Name != "mirror" {
		t.Errorf("%v", spec)
	}
	if missing := references(objects); len(missing) > 0 {
		t.Error(missing)
	}
}
