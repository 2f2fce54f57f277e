"""Tells why TLS to Redis fails, and what to do."""

import ssl
from collections.abc import Iterator

_HOST_DIFFERS = 62, 64  # codes of OpenSSL, for names and for addresses
_EXPIRED = 10


def tls_problem(error: BaseException) -> str:
    """Returns what is wrong with TLS, and the remedy; "" if the error has another cause.

    Args:
        error: From an operation on Redis. What caused it is asked too.
    """
    cause = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
    if cause is None:
        return ""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _problem_of_certificate(cause)
    reason = cause.reason or ""
    if reason == "WRONG_VERSION_NUMBER":
        return "it does not use TLS at this port: name its TLS port in redis_url, or write redis for rediss"
    if "ALERT" in reason:
        return (
            f"it refuses the certificate of this service ({reason.lower().replace('_', ' ')}): set redis_cert and "
            "redis_key to files that its CA has signed and that have not expired"
        )
    return f"TLS fails ({reason.lower().replace('_', ' ')}): correct redis_url, redis_ca, redis_cert and redis_key"


def _problem_of_certificate(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _HOST_DIFFERS:
        return (
            "its certificate is for another host: name in redis_url a host that the certificate has, or add "
            "ssl_check_hostname=false to redis_url"
        )
    if error.verify_code == _EXPIRED:
        return "its certificate, or that of its CA, has expired: renew it"
    return (
        f"its certificate is of a CA that is not trusted ({error.verify_message}): set redis_ca to the file of its CA"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
