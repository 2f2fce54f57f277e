{{- /* A probe of the gRPC port, with room for its times. */ -}}
{{- define "recsvc.probe" -}}
{{ if .Values.tls.secretName -}}
tcpSocket: {port: grpc}
{{- else -}}
grpc: {port: 50051}
{{- end }}
{{- end -}}

{{- /* Copies bundles from an object store: "until" the first is complete, or "forever". Files that are here are not copied again. */ -}}
{{- define "recsvc.copyBundles" -}}
{{- $root := index . 0 -}}
{{- $store := $root.Values.bundle.objectStore -}}
image: {{ $store.image }}
imagePullPolicy: IfNotPresent
command: [/bin/sh, -euc]
args:
  {{- if eq (index . 1) "until" }}
  - rclone copy --immutable --transfers 8 "{{ $store.path }}/{{ $root.Values.bundle.name }}" "/bundles/{{ $root.Values.bundle.name }}"
  {{- else }}
  - >-
    while true; do
    sleep {{ int $store.intervalSeconds }};
    rclone copy --immutable --transfers 4 --exclude ".work/**" "{{ $store.path }}" /bundles || true;
    done
  {{- end }}
{{ include "recsvc.containerSecurity" $root }}
env:
  - {name: RCLONE_CONFIG, value: /etc/rclone/rclone.conf}
  - {name: RCLONE_CACHE_DIR, value: /tmp}
resources:
  requests: {cpu: 50m, memory: 64Mi}
  limits: {memory: 256Mi}
volumeMounts:
  - {name: bundles, mountPath: /bundles}
  - {name: rclone, mountPath: /etc/rclone, readOnly: true}
  - {name: tmp, mountPath: /tmp}
{{- end -}}
