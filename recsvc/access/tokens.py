"""JSON Web Tokens (JWT): verified with the public keys of a JWKS file, which the shop's identity provider publishes."""

import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from recsvc.access.caller import Caller
from recsvc.access.scopes import Scope
from recsvc.errors import SettingsError, Unauthenticated

# Signatures with a public key only. A token cannot choose anything else, such as "none" or a shared secret.
ALGORITHMS: Mapping[tuple[str, str], tuple[str, ...]] = {  # by kty and crv of the key
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
_LEEWAY_SECONDS = 30  # the clock of the identity provider may be this far ahead; `exp` is compared without
_MIN_RSA_BITS = 2_048
_MAX_VERIFIED = 10_000  # tokens whose signature need not be verified again
_CLIENT = re.compile(r"[A-Za-z0-9_.:/-]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say.

    Attributes:
        issuer: Its `iss`.
        audience: Its `aud`, or one of them.
        scopes_claim: The claim with its scopes: a text with spaces between them, or a list.
    """

    issuer: str
    audience: str
    scopes_claim: str


@dataclass(frozen=True, slots=True)
class _PublicKey:
    key: Any
    algorithms: tuple[str, ...]


class TokenVerifier:
    """Verifies tokens with the keys of one JWKS file.

    Args:
        content: Of the file.
        name: Of the file, for errors.
        rules: What a token must say.
        clock: Seconds since 1970.

    Raises:
        SettingsError: The file cannot be used, or the extra `jwt` is not installed.
    """

    def __init__(self, content: bytes, name: str, rules: TokenRules, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        try:
            import jwt  # noqa: PLC0415 - an extra: services without tokens do not need it
            from jwt.algorithms import has_crypto  # noqa: PLC0415 - as above
        except ModuleNotFoundError:
            has_crypto = False
        if not has_crypto:
            raise SettingsError("jwks_file: tokens need PyJWT and cryptography: pip install 'recsvc[jwt]'")
        self._jwt = jwt
        self._rules = rules
        self._keys = self._read_keys(content, name)
        self._verified: OrderedDict[bytes, Caller] = OrderedDict()

    def verify(self, token: str) -> Caller:
        """Returns the client of a token.

        Raises:
            Unauthenticated: The token is not valid, not for this service, or has expired.
        """
        digest = hashlib.sha256(token.encode()).digest()
        caller = self._verified.get(digest)
        if caller is None:
            caller = self._verify_signature(token)
            self._verified[digest] = caller
            if len(self._verified) > _MAX_VERIFIED:
                self._verified.popitem(last=False)
        if caller.expires <= self._clock():
            raise Unauthenticated("the token has expired")
        return caller

    def _verify_signature(self, token: str) -> Caller:
        rules = self._rules
        try:
            header = self._jwt.get_unverified_header(token)
            public = self._key_of(header.get("kid"))
            algorithm = header.get("alg")
            if public is None or algorithm not in public.algorithms:
                raise Unauthenticated("the token is signed with a key or algorithm that is not known")
            claims = self._jwt.decode(
                token,
                public.key,
                algorithms=[algorithm],
                audience=rules.audience,
                issuer=rules.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "aud", "iss"]},
            )
            expires = float(claims["exp"])
        except self._jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired") from None
        except self._jwt.InvalidAudienceError:
            raise Unauthenticated("the token is for another audience") from None
        except self._jwt.InvalidIssuerError:
            raise Unauthenticated("the token is from another issuer") from None
        except (self._jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthenticated("the token is not valid") from None
        return Caller(_client_of(claims), _scopes_of(claims.get(rules.scopes_claim)), expires)

    def _key_of(self, kid: object) -> _PublicKey | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid) if isinstance(kid, str) else None

    def _read_keys(self, content: bytes, name: str) -> dict[str, _PublicKey]:
        try:
            entries = json.loads(content)["keys"]
            usable = [entry for entry in entries if entry.get("use", "sig") == "sig"]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise SettingsError(f"{name}: is not a JWKS file: it must be JSON with a list of keys") from None
        keys: dict[str, _PublicKey] = {}
        for number, entry in enumerate(usable, 1):
            kid = entry.get("kid", "")
            if not isinstance(kid, str) or kid in keys or (not kid and len(usable) > 1):
                raise SettingsError(f"{name}, key {number}: kid must be there, and another one than that of other keys")
            keys[kid] = self._read_key(entry, f"{name}, key {number}")
        if not keys:
            raise SettingsError(f"{name}: has no key for signatures")
        return keys

    def _read_key(self, entry: dict[str, Any], where: str) -> _PublicKey:
        algorithms = ALGORITHMS.get((str(entry.get("kty")), str(entry.get("crv", ""))), ())
        if "alg" in entry:
            algorithms = tuple(algorithm for algorithm in algorithms if algorithm == entry["alg"])
        if not algorithms:
            raise SettingsError(f"{where}: kty, crv and alg must be those of RS, PS, ES or EdDSA signatures")
        if "d" in entry:
            raise SettingsError(f"{where}: is a private key; the file must have public keys only")
        try:
            key = self._jwt.PyJWK(entry, algorithm=algorithms[0]).key
        except (self._jwt.PyJWTError, ValueError, TypeError, KeyError):
            raise SettingsError(f"{where}: cannot be read") from None
        if entry["kty"] == "RSA" and key.key_size < _MIN_RSA_BITS:
            raise SettingsError(f"{where}: an RSA key must have at least {_MIN_RSA_BITS} bits")
        return _PublicKey(key, algorithms)


def _client_of(claims: Mapping[str, Any]) -> str:
    """The id of a token's client, for limits and the audit log. One that may be an e-mail address is hashed."""
    client = next((claims[name] for name in ("client_id", "azp", "sub") if claims.get(name)), "")
    text = str(client)
    if not _CLIENT.fullmatch(text):  # JSON can have half of a surrogate pair
        text = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"jwt:{text}"


def _scopes_of(claim: object) -> frozenset[Scope]:
    """The scopes of a token. It may have others, for other services."""
    names = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    return frozenset(scope for scope in Scope if scope.value in names)
