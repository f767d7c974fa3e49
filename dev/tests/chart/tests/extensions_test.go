package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

// What people add to a component's pods.
const extensions = `
COMPONENT:
  revisionHistoryLimit: 7
  annotations: {reloader.stakater.com/auto: "true"}
  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: pool, operator: In, values: [shops]}]}]}}}
  topologySpreadConstraints: [{maxSkew: 2, topologyKey: rack, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b}}}]
  dnsConfig: {options: [{name: ndots, value: "2"}]}
  env: {PLAIN: text, SECRET: {valueFrom: {secretKeyRef: {name: a, key: b}}}}
  envFrom: [{configMapRef: {name: proxy}}]
  extraVolumes: [{name: ca, configMap: {name: ca}}]
  extraVolumeMounts: [{name: ca, mountPath: /etc/ca, readOnly: true}]
  initContainers: [{name: before, image: a}]
  sidecars: [{name: beside, image: a}]
  serviceAccount: {annotations: {eks.amazonaws.com/role-arn: a}}
  service: {type: LoadBalancer, annotations: {a: b}}
ingress: {controllerCidrs: [198.51.100.0/24]}
commonAnnotations: {team: shops}
commonLabels: {cost-centre: "7"}
podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}
securityContext: {runAsNonRoot: true}
`

func TestWhatPeopleAddIsThere(t *testing.T) {
	for _, component := range []string{"backend", "dashboard"} {
		file := filepath.Join(t.TempDir(), "values.yaml")
		must(t, os.WriteFile(file, []byte(strings.Replace(extensions, "COMPONENT", component, 1)), 0o600))
		objects := render(t, prod, "--values", file)
		deployment := one[*appsv1.Deployment](t, objects, component)
		spec := deployment.Spec.Template.Spec
		if *deployment.Spec.RevisionHistoryLimit != 7 || deployment.Annotations["reloader.stakater.com/auto"] != "true" {
			t.Errorf("%v", deployment)
		}
		if spec.Affinity.NodeAffinity == nil || len(spec.TopologySpreadConstraints) != 1 || spec.TopologySpreadConstraints[0].TopologyKey != "rack" || spec.DNSConfig.Options[0].Name != "ndots" {
			t.Errorf("%v", spec)
		}
		if spec.InitContainers[0].Name != "before" || spec.Containers[1].Name != "beside" {
			t.Errorf("%v", spec)
		}
		container := spec.Containers[0]
		if len(container.Env) != 2 || container.Env[0].Value != "text" || container.Env[1].ValueFrom.SecretKeyRef.Name != "a" || container.EnvFrom[0].ConfigMapRef.Name != "proxy" {
			t.Errorf("%v", container)
		}
		if !slices.ContainsFunc(spec.Volumes, func(it corev1.Volume) bool { return it.Name == "ca" }) || !slices.ContainsFunc(container.VolumeMounts, func(it corev1.VolumeMount) bool { return it.MountPath == "/etc/ca" }) {
			t.Errorf("%v", spec)
		}
		security := spec.SecurityContext
		if security.RunAsUser != nil || security.RunAsGroup != nil || security.FSGroup != nil || !*security.RunAsNonRoot || security.SeccompProfile == nil {
			t.Errorf("%v", security)
		}
		if !*container.SecurityContext.RunAsNonRoot || !*container.SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%v", container.SecurityContext)
		}
		if one[*corev1.ServiceAccount](t, objects, component).Annotations["eks.amazonaws.com/role-arn"] != "a" {
			t.Error("the ServiceAccount has no annotation")
		}
		for _, it := range objects {
			if it.GetAnnotations()["team"] != "shops" || it.GetLabels()["cost-centre"] != "7" {
				t.Errorf("%s %s lacks what all have", it.GetKind(), it.GetName())
			}
		}
	}
}

// A Service that is open to others opens the pages and the API, and not the metrics.
func TestAServiceForOthersHasNoMetrics(t *testing.T) {
	for _, kind := range []corev1.ServiceType{corev1.ServiceTypeNodePort, corev1.ServiceTypeLoadBalancer} {
		for _, component := range []string{"backend", "dashboard"} {
			objects := render(t, prod, "--set", component+".service.type="+string(kind)+",ingress.enabled=false,ingress.controllerCidrs={198.51.100.0/24}")
			open, inside := one[*corev1.Service](t, objects, component), one[*corev1.Service](t, objects, component+"-metrics")
			if open.Spec.Type != kind || len(open.Spec.Ports) != 1 || open.Spec.Ports[0].Name != "http" {
				t.Errorf("%v", open.Spec)
			}
			if inside.Spec.Type != corev1.ServiceTypeClusterIP || len(inside.Spec.Ports) != 1 || inside.Spec.Ports[0].Name != "metrics" {
				t.Errorf("%v", inside.Spec)
			}
			// The alerts select the job by the component's name.
			monitor := find(t, objects, "ServiceMonitor", component)
			label := at(monitor, "spec", "jobLabel").(string)
			if inside.Labels[label] != component {
				t.Errorf("the job is %s", inside.Labels[label])
			}
			policy := one[*networkingv1.NetworkPolicy](t, objects, component)
			admitted := slices.ContainsFunc(policy.Spec.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
				return slices.ContainsFunc(rule.From, func(peer networkingv1.NetworkPolicyPeer) bool {
					return peer.IPBlock != nil && peer.IPBlock.CIDR == "198.51.100.0/24"
				})
			})
			if !admitted {
				t.Errorf("nobody reaches the Service: %v", policy.Spec.Ingress)
			}
		}
	}
}

func TestExtraObjects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	must(t, os.WriteFile(file, []byte(`
extraObjects:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-object", namespace: "{{ .Release.Namespace }}"}, data: {domain: "{{ .Values.domain }}"}}
  - |
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: {{ include "store-platform.name" (dict "root" . "name" "text") }}
`), 0o600))
	objects := render(t, "", "--values", file)
	if one[*corev1.ConfigMap](t, objects, release+"-object").Data["domain"] != "localtest.me" || !has(objects, "ConfigMap", "text") {
		t.Error("the objects are no templates")
	}
}

// The platform and new stores admit the same load balancers and ask the same DNS.
func TestControllersAndDNSAreThoseOfStoresToo(t *testing.T) {
	objects := render(t, "", "--set", "ingress.controllerNamespaces={kube-system/haproxy},ingress.controllerCidrs={198.51.100.0/24},networkPolicy.dns.namespaces={openshift-dns},networkPolicy.dns.cidrs={169.254.20.10/32},networkPolicy.dns.ports={5353}")
	_, engines := settings(t, objects)
	for path, want := range map[string]string{
		"medusa/ingress/controllerNamespaces": "kube-system/haproxy", "medusa/ingress/controllerCidrs": "198.51.100.0/24",
		"medusa/networkPolicy/dns/namespaces": "openshift-dns", "medusa/networkPolicy/dns/cidrs": "169.254.20.10/32",
	} {
		if found, ok := dig(engines, path).([]any); !ok || len(found) != 1 || found[0] != want {
			t.Errorf("%s is %v", path, dig(engines, path))
		}
	}
	policy := one[*networkingv1.NetworkPolicy](t, objects, "dashboard")
	from := policy.Spec.Ingress[0].From
	if len(from) != 2 || from[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "kube-system" || from[0].PodSelector.MatchLabels["app.kubernetes.io/name"] != "haproxy" || from[1].IPBlock.CIDR != "198.51.100.0/24" {
		t.Errorf("%v", from)
	}
	to := policy.Spec.Egress[0]
	if len(to.To) != 2 || to.To[0].NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] != "openshift-dns" || to.To[1].IPBlock.CIDR != "169.254.20.10/32" || to.Ports[0].Port.IntValue() != 5353 {
		t.Errorf("%v", to)
	}
	own := "stores.defaults.medusa.networkPolicy.dns.namespaces={own},stores.defaults.medusa.ingress.controllerCidrs={192.0.2.0/24}"
	_, engines = settings(t, render(t, "", "--set", own))
	if found := dig(engines, "medusa/networkPolicy/dns/namespaces").([]any); found[0] != "own" {
		t.Errorf("what is said of stores counts: %v", found)
	}
}

// Of kube-system, which has pods of many, the default admits none but Traefik's.
func TestKubeSystemIsNotOpenAsAWhole(t *testing.T) {
	each(t, func(t *testing.T, objects []object) {
		for _, it := range typed[*networkingv1.NetworkPolicy](objects) {
			for _, rule := range it.Spec.Ingress {
				for _, peer := range rule.From {
					if peer.NamespaceSelector != nil && peer.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"] == "kube-system" && peer.PodSelector == nil {
						t.Errorf("%s admits all pods of kube-system", it.Name)
					}
				}
			}
		}
	})
}

// `helm test` never passes because it tests nothing: its pod is there, with a token if there is one.
func TestTheTestHasAToken(t *testing.T) {
	for setting, want := range map[string]string{
		"tests.enabled=true":              "Secret admin-token",
		"tests.tokenSecret=mine":          "Secret mine",
		"auth.tokens.existingSecret=mine": "nothing",
		"auth.tokenReview.enabled=true":   "account for ",
		"auth.tokenReview.enabled=true,auth.tokenReview.audiences={urumi,other}":                 "account for urumi",
		"auth.tokenReview.enabled=true,tests.tokenSecret=mine,auth.roleBindings={viewer=team:a}": "Secret mine",
	} {
		objects := render(t, "", "--set", setting)
		server, _ := settings(t, objects)
		pod := one[*corev1.Pod](t, objects, "test-store").Spec
		for _, container := range slices.Concat(pod.InitContainers, pod.Containers) {
			found := "nothing"
			for _, it := range container.Env {
				switch it.Name {
				case "URUMI_TOKEN":
					found = "Secret " + it.ValueFrom.SecretKeyRef.Name
				case "URUMI_TOKEN_FILE":
					projected := pod.Volumes[0].Projected.Sources[0].ServiceAccountToken
					if it.Value != container.VolumeMounts[0].MountPath+"/"+projected.Path {
						t.Errorf("the token is not at %s", it.Value)
					}
					found = "account for " + projected.Audience
				}
			}
			if found != want {
				t.Errorf("%s: %s has %s", setting, container.Name, found)
			}
		}
		bindings, _ := server["role-binding"].([]any)
		account := strings.HasPrefix(want, "account")
		if slices.Contains(bindings, any("operator=subject:system:serviceaccount:urumi:test")) != account || has(objects, "ServiceAccount", "test") != account {
			t.Errorf("%s: %v", setting, bindings)
		}
	}
}
