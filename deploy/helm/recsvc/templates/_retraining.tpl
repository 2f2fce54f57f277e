{{- define "recsvc.trainer" -}}
image: {{ include "recsvc.image" (list . .Values.retraining.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{ include "recsvc.containerSecurity" . }}
env:
  {{- include "recsvc.redisSettings" . | nindent 2 }}
resources: {{- toYaml .Values.retraining.resources | nindent 2 }}
volumeMounts:
  - {name: training, mountPath: /app/var}
  {{- if eq .Values.bundle.source "volume" }}
  - {name: bundles, mountPath: /app/var/bundles}
  {{- end }}
  - {name: tmp, mountPath: /tmp}
  {{- include "recsvc.redisMounts" . | nindent 2 }}
{{- end -}}

{{- define "recsvc.trainArguments" -}}
{{ concat (list "training.train" "--data" "var/shop" "--out" "var/bundles") .Values.retraining.arguments | toYaml }}
{{- end -}}
