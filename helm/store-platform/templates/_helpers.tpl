{{/* The names of cluster-wide objects are fixed, because a cluster has only one platform: each platform would manage all
stores. Kubernetes refuses a second one, because its ClusterRole already exists. */}}

{{/* The prefix of names in the platform's namespace, empty unless the values set one. At most 47 characters, so that 16 remain
in a Service's name. */}}
{{- define "store-platform.prefix" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 46 | trimSuffix "-" }}-
{{- else if .Values.nameOverride -}}
{{ ternary .Release.Name (printf "%s-%s" .Release.Name .Values.nameOverride) (contains .Values.nameOverride .Release.Name) | trunc 46 | trimSuffix "-" }}-
{{- end -}}
{{- end }}

{{/* The name of an object in the platform's namespace. Takes a dict of root, and name or component. */}}
{{- define "store-platform.name" -}}
{{ include "store-platform.prefix" .root }}{{ .name | default .component }}
{{- end }}

{{/* The metadata of an object in the platform's namespace. Takes a dict of root and component; name, where it is not the
component's; and labels and annotations, if it has any of its own. */}}
{{- define "store-platform.metadata" -}}
name: {{ include "store-platform.name" . }}
namespace: {{ .root.Release.Namespace }}
{{ include "store-platform.marks" . }}
{{- end }}

{{/* Labels and annotations of an object. Takes the same. */}}
{{- define "store-platform.marks" -}}
labels:
  {{- include "store-platform.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "store-platform.selectorLabels" -}}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* Labels of pods. A new version of the chart alone does not change them. Takes a dict of root and component. */}}
{{- define "store-platform.podLabels" -}}
{{ include "store-platform.selectorLabels" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: urumi
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Takes a dict of root and component. */}}
{{- define "store-platform.labels" -}}
{{ include "store-platform.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "store-platform.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with .Values.global.imageRegistry -}}
{{- $registry := splitList "/" $repository | first -}}
{{- if and (contains "/" $repository) (regexMatch "[.:]|^localhost$" $registry) -}}
{{- $repository = trimPrefix (printf "%s/" $registry) $repository -}}
{{- end -}}
{{- $repository = printf "%s/%s" . $repository -}}
{{- end -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ $repository }}@{{ .digest }}
{{- else -}}
{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "store-platform.pullSecrets" -}}
{{- $names := list -}}
{{- range concat (.Values.global.imagePullSecrets | default list) .Values.image.pullSecrets -}}
{{- if kindIs "string" . }}{{ $names = append $names . }}{{ else }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- with uniq $names }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "store-platform.host.dashboard" -}}
{{ .Values.ingress.dashboard.host | default (printf "dashboard.%s" .Values.domain) }}
{{- end }}

{{- define "store-platform.host.api" -}}
{{ .Values.ingress.api.host | default (printf "api.%s" .Values.domain) }}
{{- end }}

{{- define "store-platform.tokensSecret" -}}
{{ .Values.auth.tokens.existingSecret | default (include "store-platform.name" (dict "root" . "name" "backend-tokens")) }}
{{- end }}

{{/* The key of the token file. In a Secret that the chart creates, the chart sets the key. */}}
{{- define "store-platform.tokensKey" -}}
{{ ternary .Values.auth.tokens.existingSecretKey "tokens.yaml" (ne .Values.auth.tokens.existingSecret "") }}
{{- end }}

{{/* The name of a component's ServiceAccount. Takes a dict of root and component. */}}
{{- define "store-platform.serviceAccount" -}}
{{ (get .root.Values .component).serviceAccount.name | default (include "store-platform.name" .) }}
{{- end }}

{{- define "store-platform.serviceAccountUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "store-platform.serviceAccount" (dict "root" . "component" "backend") }}
{{- end }}

{{/* The namespace of the Jobs for databases on a shared server. Empty if stores have no such databases. */}}
{{- define "store-platform.databasesNamespace" -}}
{{ dig "medusa" "database" "server" "namespace" "" .Values.stores.defaults }}
{{- end }}

{{/* The defaults for new stores: the values of `stores.defaults`, and those derived from `ingress` and `tls`; and what requests
may choose. */}}
{{- define "store-platform.engineDefaults" -}}
{{- $medusa := dict "networkPolicy" (dict "dns" (deepCopy .Values.networkPolicy.dns)) -}}
{{- $ingress := dict "controllerNamespaces" .Values.ingress.controllerNamespaces "controllerCidrs" .Values.ingress.controllerCidrs -}}
{{- with .Values.ingress.className }}{{ $_ := set $ingress "className" . }}{{ end -}}
{{- $_ := set $medusa "ingress" $ingress -}}
{{- if and .Values.tls.enabled (not (dig "medusa" "tls" dict .Values.stores.defaults)) -}}
{{- if eq .Values.tls.mode "perHost" -}}
{{- $_ := set $medusa "tls" (dict "clusterIssuer" .Values.tls.issuer.name) -}}
{{- else -}}
{{- $_ := set $medusa "tls" (dict "secretName" .Values.tls.secretName) -}}
{{- end -}}
{{- end -}}
{{ toYaml (mergeOverwrite (dict "medusa" $medusa) (deepCopy .Values.stores.defaults)) }}
policy:
  medusa:
    {{- toYaml .Values.stores.policy.medusa | nindent 4 }}
{{- end }}

{{/* The server's settings, in the format of its --config. */}}
{{- define "store-platform.settings" -}}
cluster: kube
listen: 0.0.0.0:8080
metrics-listen: 0.0.0.0:9090
domain: {{ .Values.domain }}
engine-defaults: /etc/urumi/engine-defaults.yaml
log: {{ .Values.backend.log | quote }}
log-format: json
deadline: {{ .Values.backend.deadline }}
resync: {{ .Values.backend.resync }}
{{- if .Values.rbac.leases }}
leader-elect-namespace: {{ .Release.Namespace }}
{{- end }}
shutdown-grace: {{ .Values.backend.shutdownGraceSeconds }}s
rate-limit: {{ int .Values.backend.rateLimit }}
rate-burst: {{ int .Values.backend.rateBurst }}
{{- if not (kindIs "invalid" .Values.backend.maxStoresPerOwner) }}
max-stores-per-owner: {{ int .Values.backend.maxStoresPerOwner }}
{{- end }}
{{- if not (kindIs "invalid" .Values.backend.maxProvisioningPerOwner) }}
max-provisioning-per-owner: {{ int .Values.backend.maxProvisioningPerOwner }}
{{- end }}
{{- if not (kindIs "invalid" .Values.backend.maxCreationsPerHour) }}
max-creations-per-hour: {{ int .Values.backend.maxCreationsPerHour }}
{{- end }}
{{- with .Values.backend.maxCpuPerOwner }}
max-cpu-per-owner: {{ quote . }}
{{- end }}
{{- with .Values.backend.maxMemoryPerOwner }}
max-memory-per-owner: {{ quote . }}
{{- end }}
{{- with .Values.backend.maxStoragePerOwner }}
max-storage-per-owner: {{ quote . }}
{{- end }}
{{- if .Values.tls.enabled }}
hsts: true
{{- end }}
{{- with .Values.backend.trustedProxies }}
trusted-proxy: {{ toJson . }}
{{- end }}
{{- with .Values.backend.corsOrigins }}
cors-origin: {{ toJson . }}
{{- end }}
{{- with .Values.backend.otlpEndpoint }}
otlp-endpoint: {{ . | quote }}
{{- end }}
{{- if .Values.auth.tokens.enabled }}
tokens-file: /etc/urumi-tokens/tokens.yaml
{{- end }}
{{- with .Values.auth.oidc }}
{{- if .issuer }}
oidc-issuer: {{ .issuer | quote }}
oidc-audience: {{ toJson .audiences }}
oidc-subject-claim: {{ .subjectClaim | quote }}
oidc-groups-claim: {{ .groupsClaim | quote }}
{{- with .clientId }}
oidc-client-id: {{ . | quote }}
{{- end }}
{{- with .cliClientId }}
oidc-cli-client-id: {{ . | quote }}
{{- end }}
{{- with .scope }}
oidc-scope: {{ . | quote }}
{{- end }}
{{- if .caConfigMap }}
oidc-ca: /etc/urumi-issuer/ca.crt
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.auth.tokenReview.enabled }}
token-review: true
{{- with .Values.auth.tokenReview.audiences }}
token-review-audience: {{ toJson . }}
{{- end }}
{{- end }}
{{- $bindings := .Values.auth.roleBindings }}
{{- if eq (include "store-platform.testIdentity" .) "account" }}
{{- $bindings = append $bindings (printf "operator=subject:system:serviceaccount:%s:%s" .Release.Namespace (include "store-platform.name" (dict "root" . "name" "test"))) }}
{{- end }}
{{- with $bindings }}
role-binding: {{ toJson . }}
{{- else }}
{{- if and (or .Values.auth.oidc.issuer .Values.auth.tokenReview.enabled) (not .Values.auth.defaultRole) }}
{{- fail "nobody of auth.oidc or auth.tokenReview has a role: set auth.roleBindings or auth.defaultRole" }}
{{- end }}
{{- end }}
{{- with .Values.auth.defaultRole }}
default-role: {{ . }}
{{- end }}
{{- end }}

{{/* The placement of a pod: spread, nodes, tolerations and priority; and what else applies to all of it. Takes a dict of root,
component and settings. */}}
{{- define "store-platform.pod" -}}
{{- with .root.Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .settings.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .settings.topologySpreadConstraints | nindent 2 }}
{{- else if .settings.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $.settings.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "store-platform.selectorLabels" $ | nindent 8 }}
    # A new version's pods are spread among themselves.
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- range $key := list "affinity" "nodeSelector" "tolerations" "dnsConfig" "initContainers" }}
{{- with get $.settings $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- include "store-platform.pullSecrets" .root }}
{{- end }}

{{/* Environment, resources and security context of a component's container. Takes its settings and root. */}}
{{- define "store-platform.container" -}}
{{- with .settings.env }}
env:
  {{- range $name, $value := . }}
  - name: {{ $name }}
    {{- if kindIs "string" $value }}
    value: {{ $value | quote }}
    {{- else }}
    {{- toYaml $value | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- with .settings.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- include "store-platform.resources" .settings.resources | trim | nindent 2 }}
{{- with .root.Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "store-platform.resources" -}}
{{- with .requests }}
requests:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .limits }}
limits:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A component's ServiceAccount. Only pods that need the token request it. Takes a dict of root, component and settings. */}}
{{- define "store-platform.account" -}}
{{- if .settings.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "store-platform.serviceAccount" . }}
  namespace: {{ .root.Release.Namespace }}
  {{- include "store-platform.marks" (dict "root" .root "component" .component "annotations" .settings.serviceAccount.annotations) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{/* A component's Service. A Service that opens more than the cluster does not open the metrics, which have no authentication:
they get another one. Takes a dict of root, component and settings. */}}
{{- define "store-platform.service" -}}
{{- $inside := eq .settings.service.type "ClusterIP" }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "store-platform.metadata" (dict "root" .root "component" .component "annotations" .settings.service.annotations) | nindent 2 }}
spec:
  type: {{ .settings.service.type }}
  selector:
    {{- include "store-platform.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: 80
      targetPort: http
    {{- if not $inside }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "store-platform.metadata" (dict "root" .root "component" .component "name" (printf "%s-metrics" .component)) | nindent 2 }}
spec:
  type: ClusterIP
  selector:
    {{- include "store-platform.selectorLabels" . | nindent 4 }}
  ports:
    {{- end }}
    - name: metrics
      port: 9090
      targetPort: metrics
{{- end }}

{{/* Takes a dict of root, component and settings. */}}
{{- define "store-platform.budget" -}}
{{- if .settings.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "store-platform.metadata" (dict "root" .root "component" .component) | nindent 2 }}
spec:
  maxUnavailable: {{ .settings.podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready serves nobody: it does not hold up a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "store-platform.selectorLabels" . | nindent 6 }}
{{- end }}
{{- if .settings.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "store-platform.metadata" (dict "root" .root "component" .component) | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "store-platform.name" . }}
  minReplicas: {{ .settings.autoscaling.minReplicas }}
  maxReplicas: {{ .settings.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .settings.autoscaling.targetCPUUtilizationPercentage }}
{{- end }}
{{- end }}

{{/* What `helm test` authenticates with: the token in a `secret`, that of its ServiceAccount (`account`), or nothing. */}}
{{- define "store-platform.testIdentity" -}}
{{- if .Values.tests.enabled -}}
{{- if .Values.tests.tokenSecret -}}
secret
{{- else if .Values.auth.tokenReview.enabled -}}
account
{{- else if and .Values.auth.tokens.enabled (not .Values.auth.tokens.existingSecret) -}}
secret
{{- end -}}
{{- end -}}
{{- end }}
