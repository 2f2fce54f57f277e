{{- define "recsvc.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Call with (list $ "component"). */ -}}
{{- define "recsvc.selector" -}}
app.kubernetes.io/name: recsvc
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "recsvc.labels" -}}
{{ include "recsvc.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end -}}

{{- /* Call with (list $ image). */ -}}
{{- define "recsvc.image" -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default (index . 0).Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- /* What every pod has. Call with the user's number. */ -}}
{{- define "recsvc.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  fsGroup: {{ . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "recsvc.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "recsvc.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: {matchLabels: {{ include "recsvc.selector" $ | fromYaml | toJson }}}
  {{- end }}
{{- end -}}

{{- /* The settings of every process that reads Redis. */ -}}
{{- define "recsvc.redisSettings" -}}
- name: RECSVC_REDIS_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.redis.secretName }}, key: url}}
{{- with .Values.redis.caSecret }}
- {name: RECSVC_REDIS_CA, value: /etc/recsvc/redis-ca/ca.crt}
{{- end }}
{{- with .Values.redis.clientCertSecret }}
- {name: RECSVC_REDIS_CERT, value: /etc/recsvc/redis-client/tls.crt}
- {name: RECSVC_REDIS_KEY, value: /etc/recsvc/redis-client/tls.key}
{{- end }}
{{- end -}}

{{- define "recsvc.redisMounts" -}}
{{- if .Values.redis.caSecret }}
- {name: redis-ca, mountPath: /etc/recsvc/redis-ca, readOnly: true}
{{- end }}
{{- if .Values.redis.clientCertSecret }}
- {name: redis-client, mountPath: /etc/recsvc/redis-client, readOnly: true}
{{- end }}
{{- end -}}

{{- define "recsvc.redisVolumes" -}}
{{- with .Values.redis.caSecret }}
- {name: redis-ca, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.redis.clientCertSecret }}
- {name: redis-client, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- end -}}

{{- /* Wrong combinations of values stop the installation, with one sentence. */ -}}
{{- define "recsvc.check" -}}
{{- if and (not .Values.insecure) (or (not .Values.tls.secretName) (not .Values.keys.secretName)) -}}
{{- fail "tls.secretName and keys.secretName are empty: make both Secrets (deploy/README.md), or set insecure=true behind a mesh that encrypts and checks callers" -}}
{{- end -}}
{{- if and .Values.tls.clientCA (not .Values.tls.clientSecret) .Values.envoy.enabled -}}
{{- fail "tls.clientCA wants a certificate of every client: name the one of Envoy in tls.clientSecret" -}}
{{- end -}}
{{- if not (has .Values.bundle.source (list "volume" "objectStore")) -}}
{{- fail "bundle.source is volume or objectStore" -}}
{{- end -}}
{{- if and (eq .Values.bundle.source "objectStore") (or (not .Values.bundle.objectStore.path) (eq .Values.bundle.name "latest")) -}}
{{- fail "an object store has no links: name its folder in bundle.objectStore.path, and a bundle's id in bundle.name" -}}
{{- end -}}
{{- if and .Values.canary.enabled (not (regexMatch "^[0-9a-f]{16}$" .Values.canary.bundleId)) -}}
{{- fail "canary.bundleId is the id of a bundle: 16 hexadecimal digits" -}}
{{- end -}}
{{- end -}}
