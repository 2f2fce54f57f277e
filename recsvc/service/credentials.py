"""TLS for gRPC, with certificates that can change while it serves."""

import grpc

from recsvc.access.certificates import Certificates
from recsvc.access.reloaded_file import ReloadedFile


def server_credentials(certificates: ReloadedFile[Certificates]) -> grpc.ServerCredentials:
    """Returns credentials that use the newest certificates for each new connection. Running ones keep theirs."""
    used = certificates.value

    def changed() -> grpc.ServerCertificateConfiguration | None:
        # gRPC asks before each handshake, from threads of its own.
        nonlocal used
        newest = certificates.value
        if newest is used:
            return None
        used = newest
        return _configuration(newest)

    needs_client = used.client_ca is not None
    return grpc.dynamic_ssl_server_credentials(
        _configuration(used),
        changed,  # type: ignore[arg-type]  # None is documented: nothing has changed
        require_client_authentication=needs_client,
    )


def _configuration(certificates: Certificates) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(certificates.key, certificates.chain)], root_certificates=certificates.client_ca
    )
