{{/* Names and what all objects share. */}}

{{- define "iotistic-edge.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of objects that are not in a namespace: two installs don't share them. */}}
{{- define "iotistic-edge.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "iotistic-edge.name" .) -}}
{{- end -}}

{{- define "iotistic-edge.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "iotistic-edge.name" .) -}}
{{- else -}}
{{- required "serviceAccount.name is needed with serviceAccount.create=false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "iotistic-edge.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "iotistic-edge.labels" -}}
{{ include "iotistic-edge.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: iotistic-edge
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The operator's image, with registryOverride as Apps get it: `web` is library/web of any registry. */}}
{{- define "iotistic-edge.image" -}}
{{- $repository := .Values.image.repository -}}
{{- if .Values.registryOverride -}}
{{- $parts := splitList "/" $repository -}}
{{- $first := first $parts -}}
{{- if and (gt (len $parts) 1) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) -}}
{{- $repository = join "/" (rest $parts) -}}
{{- else if eq (len $parts) 1 -}}
{{- $repository = printf "library/%s" $repository -}}
{{- end -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .Values.registryOverride) $repository -}}
{{- end -}}
{{- include "iotistic-edge.tagged" (dict "repository" $repository "root" .) -}}
{{- end -}}

{{- define "iotistic-edge.tagged" -}}
{{- if .root.Values.image.digest -}}
{{- printf "%s@%s" .repository .root.Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Where `helm test` makes its App. `--set watchNamespaces=null` takes the whole value away. */}}
{{- define "iotistic-edge.testNamespace" -}}
{{- $watched := .Values.watchNamespaces | default list -}}
{{- if has .Release.Namespace $watched -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- first $watched | default .Release.Namespace -}}
{{- end -}}
{{- end -}}

{{- define "iotistic-edge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "iotistic-edge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 48484
runAsGroup: 48484
fsGroup: 48484
seccompProfile:
  type: RuntimeDefault
{{- end -}}
