{{/* Object names do not depend on the release, because a cluster has only one platform: each platform would manage all
stores. Kubernetes refuses a second one, because its ClusterRole already exists. */}}

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
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "store-platform.host.dashboard" -}}
{{ .Values.ingress.dashboard.host | default (printf "dashboard.%s" .Values.domain) }}
{{- end }}

{{- define "store-platform.host.api" -}}
{{ .Values.ingress.api.host | default (printf "api.%s" .Values.domain) }}
{{- end }}

{{- define "store-platform.tokensSecret" -}}
{{ .Values.auth.tokens.existingSecret | default "backend-tokens" }}
{{- end }}

{{/* The key of the token file. In a Secret that the chart creates, the chart sets the key. */}}
{{- define "store-platform.tokensKey" -}}
{{ ternary .Values.auth.tokens.existingSecretKey "tokens.yaml" (ne .Values.auth.tokens.existingSecret "") }}
{{- end }}

{{- define "store-platform.serviceAccountUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:backend
{{- end }}

{{/* The namespace of the Jobs for databases on a shared server. Empty if stores have no such databases. */}}
{{- define "store-platform.databasesNamespace" -}}
{{ dig "medusa" "database" "server" "namespace" "" .Values.stores.defaults }}
{{- end }}

{{/* The defaults for new stores: the values of `stores.defaults`, and those derived from `ingress` and `tls`; and what requests
may choose. */}}
{{- define "store-platform.engineDefaults" -}}
{{- $medusa := dict -}}
{{- $ingress := dict "controllerNamespaces" .Values.ingress.controllerNamespaces -}}
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
{{- with .Values.auth.roleBindings }}
role-binding: {{ toJson . }}
{{- end }}
{{- with .Values.auth.defaultRole }}
default-role: {{ . }}
{{- end }}
{{- end }}

{{/* The security context of all pods of the platform. */}}
{{- define "store-platform.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "store-platform.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The placement of a pod: spread, nodes, tolerations and priority. Takes a dict of root, component and settings. */}}
{{- define "store-platform.placement" -}}
{{- if .settings.topologySpread.enabled }}
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
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "store-platform.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | quote }}
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

{{/* Takes a dict of root, component and settings. */}}
{{- define "store-platform.budget" -}}
{{- if .settings.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "store-platform.labels" . | nindent 4 }}
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
  name: {{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "store-platform.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .component }}
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

{{/* The Secret with the token for `helm test`. Empty if there is no token; then there is no test. */}}
{{- define "store-platform.testToken" -}}
{{- if .Values.tests.enabled -}}
{{- if .Values.tests.tokenSecret -}}
{{ .Values.tests.tokenSecret }}
{{- else if and .Values.auth.tokens.enabled (not .Values.auth.tokens.existingSecret) -}}
admin-token
{{- end -}}
{{- end -}}
{{- end }}
