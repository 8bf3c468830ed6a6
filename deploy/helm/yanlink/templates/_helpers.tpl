{{- define "yanlink.name" -}}
{{- /* Pods are called after it, and a node.id takes 64 characters without dots. */ -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) }}
{{- $name | replace "." "-" | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "yanlink.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "yanlink.labels" -}}
{{ include "yanlink.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "yanlink.secret" -}}
{{ .Values.secret.name | default (include "yanlink.name" .) }}
{{- end }}

{{- /* The configuration file: what was given, and what the chart knows better. */ -}}
{{- define "yanlink.config" -}}
{{- $own := dict
  "server" (dict "listen" "0.0.0.0:8084" "admin" "0.0.0.0:8085")
  "drain" (dict "delay" (printf "%vs" .Values.drain.delay) "spread" (printf "%vs" .Values.drain.spread) "timeout" (printf "%vs" .Values.drain.timeout))
}}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml }}
{{- end }}
