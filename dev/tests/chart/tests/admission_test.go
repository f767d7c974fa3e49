package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
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
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
)

// What the trials need: each rule that the values turn on.
var strict = []string{
	"--set", "stores.defaults.medusa.database.server.namespace=databases,stores.defaults.medusa.database.server.host=postgres,stores.defaults.medusa.database.server.secretName=administrator,stores.defaults.medusa.database.server.image=registry:5000/postgres:15",
	"--set-json", `stores.defaults.medusa.database.formerServers=[{"host": "older", "namespace": "databases", "secretName": "older-administrator", "image": "older"}]`,
	"--set-json", `stores.defaults.medusa.ingress.annotations={"example.com/default": "a"}`,
	"--set-json", `stores.ingressAnnotationKeys=["example.com/allowed"]`,
	"--set-json", `stores.imagePrefixes=["a", "b", "ghcr.io/urumi/"]`,
	"--set-json", `stores.domains=["shops.example.com"]`,
	"--set-json", `admissionPolicy.metadataKeys=["example.com/webhook"]`,
	"--set-json", `admissionPolicy.recordWriters=[{"kind": "User", "name": "writer"}]`,
	"--set", "tls.secretName=certificate",
}

// A trial is something that the backend tries without storing it, who is to refuse it, if anybody, and in which words.
type trial struct {
	what, by, says string
	try            func() error
}

// wrong says how a trial ends otherwise than it should.
func (it trial) wrong() string {
	err := it.try()
	if by := refused(err); by != it.by {
		return fmt.Sprintf("%s: refused by %q, and should be by %q (%v)", it.what, by, it.by, err)
	}
	if err != nil && !strings.Contains(err.Error(), it.says) {
		return fmt.Sprintf("%s: %v does not say %q", it.what, err, it.says)
	}
	return ""
}

// trials are what the admission policies are asked, beyond places.
func (c cluster) trials(t *testing.T, backend cluster) []trial {
	t.Helper()
	var all []trial
	store := map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted"}
	labels := maps.Clone(store)
	labels["team"] = "a"
	c.namespace(t, "store-matrix", labels, map[string]string{"store.urumi.ai/id": "matrix", "cost-centre": "a"})
	c.namespace(t, "store-lookalike", nil, nil)
	// What others have added to objects of the store.
	for resource, text := range map[string]string{
		"ingresses":   `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {annotations: {a: b}, labels: {a: b}}, spec: {rules: [{host: store-matrix.localtest.me}]}}`,
		"deployments": `{apiVersion: apps/v1, kind: Deployment, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}, annotations: {kubectl.kubernetes.io/restartedAt: now}}, spec: POD}}}`,
		"pods":        `{apiVersion: v1, kind: Pod, metadata: {labels: {app.kubernetes.io/name: a}}, spec: POD}`,
	} {
		group := map[string]string{"ingresses": "networking.k8s.io", "deployments": "apps", "pods": ""}[resource]
		_, err := c.any.Resource(resourceOf(t, group, resource)).Namespace("store-matrix").Create(t.Context(), sample(t, text, "store-matrix", "matrix"), metav1.CreateOptions{})
		must(t, err)
	}
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
	env := func(more string) string { return but("image: a,", "image: a, "+more+",") }
	// By what is said of them.
	pods := map[string]map[string]string{
		"volumes must be empty or hold claims, Secrets and ConfigMaps": {
			"hostPath":          with("volumes: [{name: a, hostPath: {path: /}}]"),
			"a driver's volume": with("volumes: [{name: a, csi: {driver: a}}]"),
			"NFS":               with("volumes: [{name: a, nfs: {server: a, path: /}}]"),
			"a projected token": with("volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: a}}]}}]"),
		},
		"pods must not share the node's network, processes or memory": {
			"the node's network":   with("hostNetwork: true"),
			"the node's processes": with("hostPID: true"),
			"the node's memory":    with("hostIPC: true"),
		},
		"pods must run as the ServiceAccount `default`, without its token": {
			"a ServiceAccount":   with("serviceAccountName: other"),
			"a token":            but("automountServiceAccountToken: false", "automountServiceAccountToken: true"),
			"a token by default": but("automountServiceAccountToken: false, ", ""),
		},
		// The API server refuses privileged containers itself, where it runs without --allow-privileged.
		"": {
			"privileged":           but("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: false, privileged: true"),
			"privileged beginning": with("initContainers: [{name: b, image: b, securityContext: {privileged: true, allowPrivilegeEscalation: true, capabilities: {drop: [ALL]}}}]"),
		},
		"containers must not be privileged, gain privileges, or keep capabilities": {
			"escalation":              but("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
			"escalation by default":   but("allowPrivilegeEscalation: false, ", ""),
			"a capability":            but("drop: [ALL]", "drop: [ALL], add: [NET_ADMIN]"),
			"capabilities by default": but("capabilities: {drop: [ALL]}", "capabilities: {}"),
		},
		"pods must not run as root": {
			"root":                but("runAsUser: 1000", "runAsUser: 0"),
			"perhaps root":        but("runAsNonRoot: true, ", ""),
			"root in a container": but("allowPrivilegeEscalation: false", "runAsUser: 0, allowPrivilegeEscalation: false"),
		},
		"containers must not take the node's ports": {
			"the node's port": env("ports: [{containerPort: 80, hostPort: 80}]"),
		},
		"pods must not choose their nodes, priority, scheduler or runtime, or names of hosts": {
			"a node":              with("nodeName: control-plane"),
			"a node's labels":     with("nodeSelector: {node-role.kubernetes.io/control-plane: ''}"),
			"an affinity":         with("affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: a, labelSelector: {matchLabels: {a: b}}}]}}"),
			"a tolerated taint":   with("tolerations: [{operator: Exists}]"),
			"a priority":          with("priorityClassName: system-cluster-critical"),
			"a priority's number": with("priority: 2000000000"),
			"a scheduler":         with("schedulerName: other"),
			"a runtime":           with("runtimeClassName: other"),
			"a host's name":       with("hostAliases: [{ip: 192.0.2.1, hostnames: [postgres]}]"),
		},
		"pods must not read the Secrets of certificates": {
			"a certificate in a variable":       env("env: [{name: A, valueFrom: {secretKeyRef: {name: wildcard-tls, key: tls.key}}}]"),
			"a certificate in variables":        env("envFrom: [{secretRef: {name: certificate}}]"),
			"a certificate in a volume":         with("volumes: [{name: a, secret: {secretName: medusa-api-tls}}]"),
			"a certificate among others":        with("volumes: [{name: a, projected: {sources: [{configMap: {name: a}}, {secret: {name: certificate}}]}}]"),
			"a certificate to pull images with": with("imagePullSecrets: [{name: registry}, {name: wildcard-tls}]"),
			"a certificate at the beginning":    with("initContainers: [{name: b, image: b, envFrom: [{secretRef: {name: certificate}}], securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]"),
		},
		"images must be among stores.imagePrefixes: a, b, ghcr.io/urumi/": {
			"an image":                  but("image: a,", "image: attacker.example/steal,"),
			"an image by its beginning": but("image: a,", "image: a:1,"),
			"an image of a namesake":    but("image: a,", "image: ghcr.io/urumi-too/a,"),
			"an image at the beginning": with("initContainers: [{name: b, image: c, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]"),
		},
	}
	// Whoever refuses is followed by what is said.
	add := func(what, refusal string, try func() error) {
		by, says, _ := strings.Cut(refusal, ": ")
		all = append(all, trial{what, by, says, try})
	}
	create := func(what, by, group, resource, text string) {
		add(what, by, func() error { return backend.try(t, "create", group, resource, text, "store-matrix") })
	}
	for what, pod := range map[string]string{
		"a good pod":          goodPod,
		"an image's prefix":   but("image: a,", "image: 'ghcr.io/urumi/medusa-api:1',"),
		"Secrets of a store":  env("env: [{name: A, value: b}, {name: B, valueFrom: {secretKeyRef: {name: postgres-credentials, key: a}}}], envFrom: [{secretRef: {name: stripe}}]"),
		"Secrets for pulling": with("imagePullSecrets: [{name: registry}]"),
		"the usual scheduler": with("schedulerName: default-scheduler"),
	} {
		create(what, "", "apps", "deployments", deployment(pod))
	}
	const annotated = "admission: pods must have no annotations besides urumi's own"
	create("an injected sidecar", annotated, "apps", "deployments", strings.Replace(deployment(goodPod), "{labels: {a: b}}", "{labels: {a: b}, annotations: {sidecar.istio.io/inject: 'true'}}", 1))
	create("a checksum", "", "apps", "deployments", strings.Replace(deployment(goodPod), "{labels: {a: b}}", "{labels: {a: b}, annotations: {store.urumi.ai/settings-checksum: a, example.com/webhook: a}}", 1))
	for says, pods := range pods {
		refusal := "admission: " + says
		for what, pod := range pods {
			create(what, refusal, "apps", "deployments", deployment(pod))
			statefulset := strings.Replace(strings.Replace(deployment(pod), "Deployment", "StatefulSet", 1), "spec: {", "spec: {serviceName: a, ", 1)
			create(what+" (StatefulSet)", refusal, "apps", "statefulsets", statefulset)
			once := strings.Replace(pod, "{", "{restartPolicy: Never, ", 1)
			create(what+" (Job)", refusal, "batch", "jobs", `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: `+once+`}}}`)
			create(what+" (CronJob)", refusal, "batch", "cronjobs", `{apiVersion: batch/v1, kind: CronJob, spec: {schedule: "0 0 * * *", jobTemplate: {spec: {template: {spec: `+once+`}}}}}`)
		}
	}

	// Beside the database server.
	const beside = "admission: Jobs beside the database server must use its image, its host, and no Secrets besides its administrator's and urumi's own"
	job := func(image, env string) string {
		pod := but("image: a,", "image: '"+image+"', env: ["+env+"],")
		return `{apiVersion: batch/v1, kind: Job, spec: {template: {spec: ` + strings.Replace(pod, "{", "{restartPolicy: Never, ", 1) + `}}}`
	}
	host := func(name string) string { return "{name: PGHOST, value: " + name + "}" }
	from := func(secret string) string {
		return ", {name: A, valueFrom: {secretKeyRef: {name: " + secret + ", key: a}}}"
	}
	for what, it := range map[string]struct{ text, by string }{
		"as urumi's":             {job("registry:5000/postgres:15", host("postgres")+from("administrator")+from("store-matrix")), ""},
		"with a newer image":     {job("registry:5000/postgres@sha256:"+strings.Repeat("0", 64), host("postgres")), ""},
		"on a former server":     {job("older:9", host("older")+from("older-administrator")), ""},
		"between two servers":    {job("older:9", host("older")+from("administrator")), beside},
		"with another image":     {job("attacker.example/steal:1", host("postgres")+from("administrator")), beside},
		"with a namesake":        {job("registry:5000/postgres-too:15", host("postgres")), beside},
		"on another server":      {job("registry:5000/postgres:15", host("attacker.example")+from("administrator")), beside},
		"on another one at last": {job("registry:5000/postgres:15", host("postgres")+", "+host("attacker.example")), beside},
		"on no server":           {job("registry:5000/postgres:15", "{name: A, value: b}"), beside},
		"with a foreign Secret":  {job("registry:5000/postgres:15", host("postgres")+from("backup")), beside},
	} {
		add("a Job "+what, it.by, func() error { return backend.try(t, "create", "batch", "jobs", it.text, "databases") })
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
	const hosts = "admission: an Ingress of a store must name its hosts, in its rules and for TLS, and they may only be store-matrix.localtest.me, store-matrix.shops.example.com, api-matrix.localtest.me, api-matrix.shops.example.com"
	for what, it := range map[string]struct{ spec, by string }{
		"a shop":                     {`{rules: [{host: store-matrix.localtest.me}], tls: [{hosts: [store-matrix.localtest.me], secretName: wildcard-tls}]}`, ""},
		"an API":                     {`{rules: [{host: api-matrix.localtest.me}]}`, ""},
		"another domain":             {`{rules: [{host: api-matrix.shops.example.com}, {host: store-matrix.shops.example.com}]}`, ""},
		"a foreign domain":           {`{rules: [{host: api-matrix.corp.example.com}]}`, hosts},
		"the dashboard's host":       {`{rules: [{host: dashboard.localtest.me}]}`, hosts},
		"the API's host":             {`{rules: [{host: store-matrix.localtest.me}, {host: api.localtest.me}]}`, hosts},
		"another store's host":       {`{rules: [{host: store-victim.localtest.me}]}`, hosts},
		"another API's host":         {`{rules: [{host: api-victim.localtest.me}]}`, hosts},
		"a host below":               {`{rules: [{host: a.store-matrix.localtest.me}]}`, hosts},
		"all hosts of the domain":    {`{rules: [{host: "*.localtest.me"}]}`, hosts},
		"all hosts below":            {`{rules: [{host: "*.store-matrix.localtest.me"}]}`, hosts},
		"every host":                 {`{rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}]}}]}`, hosts},
		"what is left":               {`{defaultBackend: {service: {name: a, port: {number: 80}}}, rules: [{host: store-matrix.localtest.me}]}`, hosts},
		"a foreign certificate":      {`{rules: [{host: store-matrix.localtest.me}], tls: [{hosts: [store-matrix.localtest.me, dashboard.localtest.me], secretName: a}]}`, hosts},
		"a certificate for no host":  {`{rules: [{host: store-matrix.localtest.me}], tls: [{secretName: a}]}`, hosts},
		"a certificate for any host": {`{rules: [{host: store-matrix.localtest.me}], tls: [{hosts: ["*.localtest.me"], secretName: a}]}`, hosts},
	} {
		create(what, it.by, "networking.k8s.io", "ingresses", `{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: `+it.spec+`}`)
	}
	for annotation, by := range map[string]string{
		"cert-manager.io/issuer":                            "",
		"cert-manager.io/cluster-issuer":                    "",
		"example.com/default":                               "",
		"example.com/allowed":                               "",
		"example.com/webhook":                               "",
		"store.urumi.ai/a":                                  "",
		"example.com/allowed-too":                           "admission",
		"cert-manager.io/common-name":                       "admission",
		"nginx.ingress.kubernetes.io/server-alias":          "admission",
		"nginx.ingress.kubernetes.io/configuration-snippet": "admission",
		"haproxy-ingress.github.io/config-backend":          "admission",
		"external-dns.alpha.kubernetes.io/hostname":         "admission",
		"traefik.ingress.kubernetes.io/router.middlewares":  "admission",
		"kubernetes.io/ingress.class":                       "admission",
		"kubectl.kubernetes.io/last-applied-configuration":  "admission",
	} {
		if by != "" {
			by += ": the backend may not set, change or remove these annotations: " + annotation
		}
		create("an Ingress with "+annotation, by, "networking.k8s.io", "ingresses", `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {annotations: {`+annotation+`: a}}, spec: {rules: [{host: store-matrix.localtest.me}]}}`)
	}
	create("a copied Secret", "admission: these annotations: reflector.v1.k8s.emberstack.com/reflects", "", "secrets", `{apiVersion: v1, kind: Secret, metadata: {annotations: {reflector.v1.k8s.emberstack.com/reflects: urumi/wildcard-tls}}}`)
	create("an issuer for no Ingress", "admission: these annotations: cert-manager.io/issuer", "", "services", `{apiVersion: v1, kind: Service, metadata: {annotations: {cert-manager.io/issuer: a}}, spec: {ports: [{port: 80}]}}`)
	create("a dashboard", "admission: these labels: grafana_dashboard", "", "configmaps", `{apiVersion: v1, kind: ConfigMap, metadata: {labels: {grafana_dashboard: "1"}}}`)
	create("urumi's labels", "", "", "configmaps", `{apiVersion: v1, kind: ConfigMap, metadata: {labels: {app.kubernetes.io/name: a, store.urumi.ai/id: matrix, example.com/webhook: a}}}`)
	for what, it := range map[string]struct{ group, resource, patch, by string }{
		"its label":                  {"networking.k8s.io", "ingresses", `{"metadata": {"labels": {"app.kubernetes.io/part-of": "store"}}}`, ""},
		"its pod":                    {"apps", "deployments", `{"spec": {"replicas": 2}}`, ""},
		"its pod's annotation":       {"apps", "deployments", `{"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "later"}}}}}`, annotated},
		"another's annotation":       {"networking.k8s.io", "ingresses", `{"metadata": {"annotations": {"a": "c"}}}`, "admission: these annotations: a"},
		"another's annotation away":  {"networking.k8s.io", "ingresses", `{"metadata": {"annotations": {"a": null}}}`, "admission: these annotations: a"},
		"another's label":            {"networking.k8s.io", "ingresses", `{"metadata": {"labels": {"a": "c"}}}`, "admission: these labels: a"},
		"a pod's annotation":         {"", "pods", `{"metadata": {"annotations": {"store.urumi.ai/mounted": "a"}}}`, ""},
		"a pod's image":              {"", "pods", `{"spec": {"containers": [{"name": "a", "image": "b", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}`, "admission: of a pod, only annotations may be changed"},
		"a pod's label":              {"", "pods", `{"metadata": {"labels": {"app.kubernetes.io/name": "b"}}}`, "admission: of a pod, only annotations may be changed"},
		"a pod's owner":              {"", "pods", `{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "a"}]}}`, "admission: of a pod, only annotations may be changed"},
		"a pod's finalizer":          {"", "pods", `{"metadata": {"finalizers": ["store.urumi.ai/a"]}}`, "admission: of a pod, only annotations may be changed"},
		"a pod's foreign annotation": {"", "pods", `{"metadata": {"annotations": {"a": "b"}}}`, "admission: these annotations: a"},
	} {
		add("changing, of what others added to, "+what, it.by, func() error {
			at := backend.any.Resource(resourceOf(t, it.group, it.resource)).Namespace("store-matrix")
			_, err := at.Patch(t.Context(), "matrix", types.MergePatchType, []byte(it.patch), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
			return err
		})
	}

	// Namespaces.
	namespaces := backend.admin.CoreV1().Namespaces()
	dry := []string{metav1.DryRunAll}
	for what, it := range map[string]struct {
		name, by string
		labels   map[string]string
	}{
		"a store":                     {"store-a", "", store},
		"with a sidecar":              {"store-a", "admission: these labels: istio-injection", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted", "istio-injection": "enabled"}},
		"with an empty label":         {"store-a", "admission: these labels: admission.gatekeeper.sh/ignore", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted", "admission.gatekeeper.sh/ignore": ""}},
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
		"its team":                  {"store-matrix", `{"metadata": {"labels": {"team": "b"}}}`, "admission: these labels: team"},
		"its team, away":            {"store-matrix", `{"metadata": {"labels": {"team": null}}}`, "admission: these labels: team"},
		"its cost centre":           {"store-matrix", `{"metadata": {"annotations": {"cost-centre": null}}}`, "admission: these annotations: cost-centre"},
		"its scheduler":             {"store-matrix", `{"metadata": {"annotations": {"scheduler.alpha.kubernetes.io/node-selector": "a=b"}}}`, "admission: these annotations: scheduler.alpha.kubernetes.io/node-selector"},
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
	c.namespace(t, "databases", nil, nil)
	c.install(t, local, strict...)
	backend, _ := c.backend(t)
	for _, it := range c.trials(t, backend) {
		if wrong := it.wrong(); wrong != "" {
			t.Error(wrong)
		}
	}

	// What an administrator set on a store stays possible: its record can still be written.
	patch := []byte(`{"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}`)
	_, err := c.admin.CoreV1().Namespaces().Patch(t.Context(), "store-matrix", types.MergePatchType, patch, metav1.PatchOptions{})
	must(t, err)
	patch = []byte(`{"metadata": {"annotations": {"store.urumi.ai/status": "ready"}}}`)
	_, err = backend.admin.CoreV1().Namespaces().Patch(t.Context(), "store-matrix", types.MergePatchType, patch, metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
	must(t, err)
}

// Without any one rule of the admission policies, something is let through that they are there to refuse.
func TestClusterEveryAdmissionRuleIsNeeded(t *testing.T) {
	c := connect(t)
	c.namespace(t, "databases", nil, nil)
	c.install(t, local, strict...)
	backend, _ := c.backend(t)
	trials := c.trials(t, backend)
	// The first trial that ends otherwise than the rules say; they are read a moment after they are changed.
	unlike := func() string {
		for _, it := range trials {
			if it.wrong() != "" {
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

// Records are urumi's to write: who may otherwise create and change namespaces can neither forge nor change one.
func TestClusterRecords(t *testing.T) {
	c := connect(t)
	c.namespace(t, "databases", nil, nil)
	c.install(t, local, strict...)
	backend, _ := c.backend(t)
	record := map[string]string{"store.urumi.ai/id": "matrix", "store.urumi.ai/spec": "{}"}
	c.namespace(t, "store-matrix", map[string]string{"store.urumi.ai/enabled": "true", "pod-security.kubernetes.io/enforce": "restricted", "team": "a"}, record)
	backend.settled(t)

	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "namespaces-only"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"namespaces", "namespaces/status", "namespaces/finalize"}, Verbs: []string{"*"}}},
	}
	_, err := c.admin.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		_ = c.admin.RbacV1().ClusterRoles().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
	})
	var subjects []rbacv1.Subject
	for _, name := range []string{"selfservice", "writer"} {
		subjects = append(subjects, rbacv1.Subject{Kind: "User", APIGroup: rbacv1.GroupName, Name: name})
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   subjects,
	}
	_, err = c.admin.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		_ = c.admin.RbacV1().ClusterRoleBindings().Delete(context.Background(), role.Name, metav1.DeleteOptions{})
	})

	as := func(user string) cluster {
		config := rest.CopyConfig(c.config)
		config.Impersonate = rest.ImpersonationConfig{UserName: user}
		return cluster{config, kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)}
	}
	dry := []string{metav1.DryRunAll}
	create := func(name string, labels, annotations map[string]string) func(cluster) error {
		return func(by cluster) error {
			it := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, Annotations: annotations}}
			_, err := by.admin.CoreV1().Namespaces().Create(t.Context(), it, metav1.CreateOptions{DryRun: dry})
			return err
		}
	}
	patch := func(text string, subresources ...string) func(cluster) error {
		return func(by cluster) error {
			_, err := by.admin.CoreV1().Namespaces().Patch(t.Context(), "store-matrix", types.MergePatchType, []byte(text), metav1.PatchOptions{DryRun: dry}, subresources...)
			return err
		}
	}
	finalize := func(annotations map[string]string) func(cluster) error {
		return func(by cluster) error {
			it, err := c.admin.CoreV1().Namespaces().Get(t.Context(), "store-matrix", metav1.GetOptions{})
			must(t, err)
			maps.Copy(it.Annotations, annotations)
			_, err = by.admin.CoreV1().Namespaces().Finalize(t.Context(), it, metav1.UpdateOptions{DryRun: dry})
			return err
		}
	}
	selfservice, writer := as("selfservice"), as("writer")
	must(t, wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return selfservice.may(t, "create", "", "namespaces", "", "") && writer.may(t, "write", "store.urumi.ai", "records", "", ""), nil
	}))
	enabled := map[string]string{"store.urumi.ai/enabled": "true"}
	for what, it := range map[string]struct {
		try     func(cluster) error
		refused bool
	}{
		"creating a namespace":              {create("team-a", map[string]string{"a": "b"}, map[string]string{"a": "b"}), false},
		"creating a namesake":               {create("store-forged", nil, nil), false},
		"forging a record":                  {create("store-forged", enabled, map[string]string{"store.urumi.ai/id": "forged", "store.urumi.ai/spec": "{}"}), true},
		"creating a namespace with a label": {create("team-a", enabled, nil), true},
		"creating one with an annotation":   {create("store-forged", nil, map[string]string{"store.urumi.ai/spec": "{}"}), true},
		"changing another label":            {patch(`{"metadata": {"labels": {"team": "b"}}}`), false},
		"changing other annotations":        {patch(`{"metadata": {"annotations": {"a": "b"}}}`), false},
		"adding an annotation":              {patch(`{"metadata": {"annotations": {"store.urumi.ai/owner": "user:eve"}}}`), true},
		"adding an empty label":             {patch(`{"metadata": {"labels": {"store.urumi.ai/a": ""}}}`), true},
		"changing an annotation":            {patch(`{"metadata": {"annotations": {"store.urumi.ai/spec": "[]"}}}`), true},
		"removing an annotation":            {patch(`{"metadata": {"annotations": {"store.urumi.ai/spec": null}}}`), true},
		"removing the label":                {patch(`{"metadata": {"labels": {"store.urumi.ai/enabled": null}}}`), true},
		"changing the status":               {patch(`{"status": {"conditions": []}}`, "status"), false},
		"changing a record by the status":   {patch(`{"metadata": {"annotations": {"store.urumi.ai/spec": "[]"}}}`, "status"), true},
		"finalizing":                        {finalize(nil), false},
		"changing a record by finalizing":   {finalize(map[string]string{"store.urumi.ai/spec": "[]"}), true},
	} {
		err := it.try(selfservice)
		if by := refused(err); (by == "admission") != it.refused || (by != "" && by != "admission") {
			t.Errorf("%s: %q (%v)", what, by, err)
		}
		if it.refused && err != nil && !strings.Contains(err.Error(), "selfservice may not set, change or remove labels and annotations store.urumi.ai/… of namespaces") {
			t.Errorf("%s: %v", what, err)
		}
		for who, by := range map[string]cluster{"writer": writer, "administrator": c} {
			if err := it.try(by); err != nil {
				t.Errorf("%s as %s: %v", what, who, err)
			}
		}
	}
}

// Whatever RBAC allows: with an administrator's role bound to it, the ServiceAccount still writes stores only.
func TestClusterAdmissionHoldsWhateverRBACAllows(t *testing.T) {
	c := connect(t)
	c.install(t, local)
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
	_, err = c.any.Resource(resourceOf(t, "", "pods")).Namespace("store-matrix").Create(t.Context(), sample(t, `{apiVersion: v1, kind: Pod, spec: POD}`, "store-matrix", "matrix"), metav1.CreateOptions{})
	must(t, err)
	// The scheduler writes the pod at the same time.
	err = retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		pod, err := c.admin.CoreV1().Pods("store-matrix").Get(t.Context(), "matrix", metav1.GetOptions{})
		must(t, err)
		pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "b", Image: "a", SecurityContext: pod.Spec.Containers[0].SecurityContext}}}
		_, err = backend.admin.CoreV1().Pods("store-matrix").UpdateEphemeralContainers(t.Context(), "matrix", pod, metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	})
	if refused(err) != "admission" {
		t.Errorf("containers may be added to a pod: %v", err)
	}
	if _, err := backend.admin.CoreV1().ServiceAccounts("kube-system").CreateToken(t.Context(), "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{}); refused(err) != "admission" {
		t.Errorf("it may draw tokens: %v", err)
	}
	if _, err := c.admin.CoreV1().Secrets("store-matrix").Get(t.Context(), "kept", metav1.GetOptions{}); apierrors.IsNotFound(err) {
		t.Error("the Secret is gone")
	}
}
