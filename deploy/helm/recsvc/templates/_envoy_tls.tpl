{{- define "recsvc.file" -}}
{path_config_source: {path: /etc/envoy/config/{{ . }}.yaml}, resource_api_version: V3}
{{- end -}}

{{- define "recsvc.listenerTls" -}}
name: envoy.transport_sockets.tls
typed_config:
  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
  common_tls_context:
    alpn_protocols: [h2]
    tls_params: {tls_minimum_protocol_version: TLSv1_2}
    tls_certificate_sds_secret_configs:
      - {name: server, sds_config: {{ include "recsvc.file" "server" }}}
{{- end -}}

{{- /* Call with (list $ host). */ -}}
{{- define "recsvc.clusterTls" -}}
{{- $tls := (index . 0).Values.tls -}}
name: envoy.transport_sockets.tls
typed_config:
  "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
  sni: {{ $tls.serverName | default (index . 1) }}
  common_tls_context:
    alpn_protocols: [h2]
    validation_context_sds_secret_config: {name: ca, sds_config: {{ include "recsvc.file" "ca" }}}
    {{- if $tls.clientCA }}
    tls_certificate_sds_secret_configs:
      - {name: client, sds_config: {{ include "recsvc.file" "client" }}}
    {{- end }}
{{- end -}}

{{- /* Call with (list name folder). */ -}}
{{- define "recsvc.certificate" -}}
resources:
  - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: {{ index . 0 }}
    tls_certificate:
      certificate_chain: {filename: {{ index . 1 }}/tls.crt}
      private_key: {filename: {{ index . 1 }}/tls.key}
      watched_directory: {path: {{ index . 1 }}}
{{- end -}}
