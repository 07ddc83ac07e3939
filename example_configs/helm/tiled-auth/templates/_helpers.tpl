{{/* Names and labels, and what the other templates need to know about the configuration. */}}

{{- define "tiled-auth.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "tiled-auth.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "tiled-auth.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "tiled-auth.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "tiled-auth.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tiled-auth.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tiled-auth.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "tiled-auth.selectorLabels" . }}
{{- end }}

{{- define "tiled-auth.image" -}}
{{- $repository := required "image.repository: name the image that you built or mirrored, for example registry.example.org/tiled-auth." .Values.image.repository }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* The URI that the configuration gets; empty where nothing has to be stored. */}}
{{- define "tiled-auth.databaseUri" -}}
{{- $given := dig "database" "uri" "" .Values.config }}
{{- if .Values.database.existingSecret }}
{{- if $given }}{{ fail "database.existingSecret and config.database.uri both name a database. Remove one of them." }}{{ end }}
{{- "$DATABASE_URI" }}
{{- else if $given }}
{{- $given }}
{{- else if dig "authentication" "providers" list .Values.config }}
{{- "sqlite:////var/lib/tiled-auth/tiled.db" }}
{{- end }}
{{- end }}

{{/* postgresql, sqlite, or none */}}
{{- define "tiled-auth.databaseKind" -}}
{{- $uri := include "tiled-auth.databaseUri" . }}
{{- if or .Values.database.existingSecret (hasPrefix "postgres" $uri) }}postgresql{{ else if $uri }}sqlite{{ else }}none{{ end }}
{{- end }}

{{- define "tiled-auth.config" -}}
{{- if not .Values.config.trees }}{{ fail "config: give the server's configuration, with trees at least; values.yaml tells more." }}{{ end }}
{{- $config := deepCopy .Values.config }}
{{- with include "tiled-auth.databaseUri" . }}
{{- $database := set (default dict $config.database) "uri" . }}
{{- if not (hasKey $database "init_if_not_exists") }}{{ $_ := set $database "init_if_not_exists" true }}{{ end }}
{{- $_ := set $config "database" $database }}
{{- end }}
{{- toYaml $config }}
{{- end }}

{{- define "tiled-auth.rootPath" -}}
{{- dig "uvicorn" "root_path" "" .Values.config | trimSuffix "/" }}
{{- end }}

{{- define "tiled-auth.scheme" -}}
{{- if or (dig "server" "tls" "" .Values.config) (dig "uvicorn" "ssl_certfile" "" .Values.config) }}HTTPS{{ else }}HTTP{{ end }}
{{- end }}
