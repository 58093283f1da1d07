{{- define "xebec.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* The release's name, without saying xebec twice. A Service has this name, and must not begin with a digit. */ -}}
{{- define "xebec.fullname" -}}
{{- $name := include "xebec.name" . -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- if regexMatch "^[0-9]" $full -}}
{{- $full = printf "xebec-%s" $full -}}
{{- end -}}
{{- $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- /* Of what belongs to the whole cluster, where two releases must not meet. Never cut: these may have 253 letters. */ -}}
{{- define "xebec.clusterName" -}}
{{- printf "%s-%s" (include "xebec.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "xebec.instanceLabels" -}}
app.kubernetes.io/name: {{ include "xebec.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* By which the pods of the control plane are found, and not the pod that checks them. */ -}}
{{- define "xebec.selectorLabels" -}}
{{ include "xebec.instanceLabels" . }}
app.kubernetes.io/component: control-plane
{{- end -}}

{{- /* Without the component. */ -}}
{{- define "xebec.commonLabels" -}}
{{ include "xebec.instanceLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: xebec
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{- define "xebec.labels" -}}
{{ include "xebec.commonLabels" . }}
app.kubernetes.io/component: control-plane
{{- end -}}

{{- define "xebec.testAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "xebec.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{- /* Whether this release judges objects as they are applied. */ -}}
{{- define "xebec.hasWebhook" -}}
{{- if and .Values.webhook.enabled (has "galley" .Values.controllers) -}}true{{- end -}}
{{- end -}}

{{- define "xebec.hasMcp" -}}
{{- if and .Values.mcp.enabled (has "galley" .Values.controllers) -}}true{{- end -}}
{{- end -}}

{{- /* The groups of Istio's kinds. */ -}}
{{- define "xebec.istioGroups" -}}
- networking.istio.io
- security.istio.io
- telemetry.istio.io
- extensions.istio.io
- authentication.istio.io
- rbac.istio.io
- config.istio.io
{{- end -}}

{{- /*
One setting that profiles have a say in: what a person set, else the profile's, else the default profile's. Takes a list of the root and the
path; gives JSON {"value": …}, since a template can only give text and false must not be lost.
*/ -}}
{{- define "xebec.setting" -}}
{{- $root := index . 0 -}}
{{- $layers := list $root.Values -}}
{{- range $name := compact (list $root.Values.profile "default") -}}
{{- $layers = append $layers ($root.Files.Get (printf "files/profiles/%s.yaml" $name) | fromYaml) -}}
{{- end -}}
{{- $found := dict -}}
{{- range $layer := $layers -}}
{{- $value := $layer -}}
{{- range $key := rest $ -}}
{{- $value = ternary (index (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if not (or (kindIs "invalid" $value) (hasKey $found "value")) -}}
{{- $_ := set $found "value" $value -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- /* MeshConfig: the profile's, with what a person set over it key by key. */ -}}
{{- define "xebec.meshConfig" -}}
{{- $mesh := dict "rootNamespace" .Release.Namespace -}}
{{- if .Values.profile -}}
{{- $profile := .Files.Get (printf "files/profiles/%s.yaml" .Values.profile) | fromYaml -}}
{{- $mesh = merge (dig "meshConfig" dict $profile) $mesh -}}
{{- end -}}
{{- range $key, $value := .Values.meshConfig -}}{{- $_ := set $mesh $key $value -}}{{- end -}}
{{- toYaml $mesh -}}
{{- end -}}

{{- /* Names of Istio's charts are refused with what they are called here, all at once. */ -}}
{{- define "xebec.refuseIstioNames" -}}
{{- $lines := list -}}
{{- $known := list -}}
{{- range $entry := (.Files.Get "files/istio-values.yaml" | fromYaml).values -}}
{{- $known = append $known $entry.name -}}
{{- $value := $.Values -}}
{{- range $key := splitList "." $entry.name -}}
{{- $value = ternary (index (default dict $value) $key) nil (kindIs "map" $value) -}}
{{- end -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $lines = append $lines (printf "  %s: %s" $entry.name $entry.say) -}}
{{- end -}}
{{- end -}}
{{- range $family := list "pilot" "galley" "security" -}}
{{- range $key, $_ := index $.Values $family -}}
{{- $name := printf "%s.%s" $family $key -}}
{{- if not (has $name $known) -}}
{{- $lines = append $lines (printf "  %s: has no counterpart" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $lines -}}
{{- fail (printf "\n\nThese values have other names here, or none:\n%s\n" (join "\n" $lines)) -}}
{{- end -}}
{{- end -}}

{{- /* What it takes to give accounts their identities, everywhere or in one namespace. */ -}}
{{- define "xebec.identityRules" -}}
# Which accounts there are; one is asked for by itself before the Secret of an account that seems gone is removed.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch]
# The Secrets istio.<account>. A right can be limited to names, not to how names begin, nor to a type: xebec asks for those of type
# istio.io/key-and-cert alone, and writes none of another.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, update, delete]
# The roots of the mesh, in this ConfigMap and no other. What is to be made cannot be limited to a name; one that is immutable is made anew.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [istio-ca-root-cert]
  verbs: [list, watch, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
{{- end -}}

{{- /* xDS and certificate requests over TLS. Each controller has something to serve there. */ -}}
{{- define "xebec.hasSecureXds" -}}
{{- if .Values.xds.enabled -}}true{{- end -}}
{{- end -}}
