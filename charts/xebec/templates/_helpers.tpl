{{- define "xebec.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* The release's name, without saying xebec twice. */ -}}
{{- define "xebec.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "xebec.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "xebec.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Of what belongs to the whole cluster: two releases must not meet. */ -}}
{{- define "xebec.clusterName" -}}
{{- printf "%s-%s" (include "xebec.fullname" .) .Release.Namespace | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "xebec.selectorLabels" -}}
app.kubernetes.io/name: {{ include "xebec.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "xebec.labels" -}}
{{ include "xebec.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: control-plane
app.kubernetes.io/part-of: xebec
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{- define "xebec.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{- /*
One setting that profiles have a say in: what a person set, else the profile's, else the default profile's. Takes a list of the root and the
path; gives JSON {"value": …}, since a template can only give text and false must not be lost.
*/ -}}
{{- define "xebec.setting" -}}
{{- $root := index . 0 -}}
{{- $path := rest . -}}
{{- $layers := list $root.Values -}}
{{- range $name := list $root.Values.profile "default" -}}
{{- if $name -}}
{{- $layers = append $layers ($root.Files.Get (printf "files/profiles/%s.yaml" $name) | fromYaml) -}}
{{- end -}}
{{- end -}}
{{- $found := dict -}}
{{- range $layer := $layers -}}
{{- $value := $layer -}}
{{- range $key := $path -}}
{{- if kindIs "map" $value -}}{{- $value = get $value $key -}}{{- else -}}{{- $value = "" -}}{{- end -}}
{{- end -}}
{{- $isSet := not (or (kindIs "invalid" $value) (and (kindIs "string" $value) (eq $value ""))) -}}
{{- if and $isSet (not (hasKey $found "value")) -}}
{{- $_ := set $found "value" $value -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- define "xebec.replicas" -}}
{{- (include "xebec.setting" (list . "replicas") | fromJson).value | int -}}
{{- end -}}

{{- /* MeshConfig: the profile's, with what a person set over it key by key. */ -}}
{{- define "xebec.meshConfig" -}}
{{- $profile := dict -}}
{{- if .Values.profile -}}
{{- $profile = get (.Files.Get (printf "files/profiles/%s.yaml" .Values.profile) | fromYaml) "meshConfig" | default dict -}}
{{- end -}}
{{- $mesh := dict "rootNamespace" .Release.Namespace -}}
{{- range $key, $value := $profile -}}{{- $_ := set $mesh $key $value -}}{{- end -}}
{{- range $key, $value := .Values.meshConfig -}}{{- $_ := set $mesh $key $value -}}{{- end -}}
{{- toYaml $mesh -}}
{{- end -}}
