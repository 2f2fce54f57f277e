"""Tokens (JWT): only those that the identity provider signed, for this service, and for now."""

import json
import math
import time

import jwt
import pytest

from recsvc.access.scopes import Scope
from recsvc.access.tokens import TokenRules, TokenVerifier
from recsvc.errors import SettingsError, Unauthenticated
from tests.recsvc.access.credentials import AUDIENCE, ISSUER, jwk, jwks, private_key, token

RULES = TokenRules(ISSUER, AUDIENCE, "scope")


def verifier(*keys, rules=RULES, **more):
    return TokenVerifier(jwks(*keys) if keys else jwks(jwk("P-256", "one")), "jwks.json", rules, **more)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("RSA", "RS256"),
        ("RSA", "PS256"),
        ("RSA", "RS512"),
        ("P-256", "ES256"),
        ("P-384", "ES384"),
        ("Ed25519", "EdDSA"),
    ],
)
def test_a_token_of_every_kind_of_key_is_accepted(kind, algorithm):
    checked = verifier(jwk(kind, "one"), jwk("P-256", "two", 2))
    caller = checked.verify(token(kind, algorithm=algorithm))
    assert (caller.caller_id, caller.scopes) == ("jwt:shop", frozenset({Scope.RECOMMEND}))
    assert caller.expires == pytest.approx(time.time() + 300, abs=5)


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (lambda: token(exp=time.time() - 1), "has expired"),
        (lambda: token(exp=time.time() - 3600), "has expired"),
        (lambda: token(without="exp"), "is not valid"),
        (lambda: token(exp="soon"), "is not valid"),
        (lambda: token(exp=math.inf), "is not valid"),
        (lambda: token(aud="another"), "is for another audience"),
        (lambda: token(aud=["another", "third"]), "is for another audience"),
        (lambda: token(without="aud"), "is not valid"),
        (lambda: token(iss="https://login.evil.example"), "is from another issuer"),
        (lambda: token(without="iss"), "is not valid"),
        (lambda: token(nbf=time.time() + 3600), "is not valid"),
        (lambda: token(kid="two"), "is signed with a key or algorithm that is not known"),
        (lambda: token(kid=None), "is signed with a key or algorithm that is not known"),
        (lambda: token(number=7), "is not valid"),  # the right kid, and somebody else's key
        (lambda: token()[:-6] + "AAAAAA", "is not valid"),
        (lambda: ".".join([*token().split(".")[:2], ""]), "is not valid"),
        (lambda: "", "is not valid"),
        (lambda: "a.b.c", "is not valid"),
        (lambda: "é.b.c", "is not valid"),
        (lambda: "eyJ" * 3000, "is not valid"),
    ],
)
def test_a_bad_token_is_refused(bad, problem):
    checked = verifier(jwk("P-256", "one"), jwk("P-256", "other", 9))
    text = bad()
    with pytest.raises(Unauthenticated) as caught:
        checked.verify(text)
    assert problem in str(caught.value)
    assert not text or text not in str(caught.value)


def unsigned(header: dict[str, object]) -> str:
    def part(value: object) -> str:
        return jwt.utils.base64url_encode(json.dumps(value).encode()).decode()

    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 300, "scope": "admin"}
    return f"{part(header)}.{part(claims)}."


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["ES256"]])
def test_a_token_cannot_choose_to_have_no_signature(algorithm):
    with pytest.raises(Unauthenticated):
        verifier().verify(unsigned({"alg": algorithm, "kid": "one", "typ": "JWT"}))


def test_a_public_key_is_no_shared_secret():
    public = jwk("RSA", "one")
    checked = verifier(public)
    secret = jwt.PyJWK(public).key.public_numbers().n.to_bytes(256, "big")
    forged = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 300}, secret, "HS256", headers={"kid": "one"}
    )
    with pytest.raises(Unauthenticated, match="algorithm that is not known"):
        checked.verify(forged)


def test_a_token_is_verified_by_the_algorithm_that_its_key_names():
    checked = verifier(jwk("RSA", "one", alg="PS256"))
    checked.verify(token("RSA", algorithm="PS256"))
    with pytest.raises(Unauthenticated, match="algorithm that is not known"):
        checked.verify(token("RSA", algorithm="RS256"))


def test_an_extension_that_must_be_understood_is_not():
    text = jwt.encode(
        {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 300},
        private_key("P-256"),
        "ES256",
        {"kid": "one", "crit": ["b64x"], "b64x": False},
    )
    with pytest.raises(Unauthenticated, match="is not valid"):
        verifier().verify(text)


def test_a_token_that_was_accepted_expires_all_the_same():
    now = [time.time()]
    checked = verifier(clock=lambda: now[0])
    text = token()
    checked.verify(text)
    now[0] += 299
    checked.verify(text)
    now[0] += 2
    with pytest.raises(Unauthenticated, match="has expired"):
        checked.verify(text)


def test_a_lone_key_verifies_tokens_without_kid():
    assert verifier(jwk("P-256", "one")).verify(token(kid=None)).caller_id == "jwt:shop"


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [
        ("recommend write openid", {"recommend", "write"}),
        (["admin", "profile", 7], {"admin"}),
        ("openid", set()),
        ("RECOMMEND recommended", set()),
        (None, set()),
        ({"recommend": True}, set()),
        (7, set()),
    ],
)
def test_scopes_are_a_text_or_a_list_and_unknown_ones_are_of_other_services(claim, scopes):
    assert verifier().verify(token(scope=claim)).scopes == scopes


def test_scopes_can_stand_in_another_claim():
    rules = TokenRules(ISSUER, AUDIENCE, "permissions")
    assert verifier(rules=rules).verify(token(permissions=["erase"])).scopes == {Scope.ERASE}


@pytest.mark.parametrize(
    ("claims", "caller_id"),
    [
        ({"client_id": "shop", "azp": "a", "sub": "s"}, "jwt:shop"),
        ({"client_id": "", "azp": "a", "sub": "s"}, "jwt:a"),
        ({"client_id": "", "sub": "auth0/7"}, "jwt:auth0/7"),
    ],
)
def test_a_caller_is_named_after_the_client_of_the_token(claims, caller_id):
    assert verifier().verify(token(**claims)).caller_id == caller_id


def test_an_e_mail_address_is_not_the_name_of_a_caller():
    caller_id = verifier().verify(token(client_id="", sub="ann@shop.example")).caller_id
    assert caller_id.startswith("jwt:")
    assert "ann" not in caller_id
    assert caller_id == verifier().verify(token(client_id="", sub="ann@shop.example")).caller_id


def test_a_client_that_is_no_text_of_utf_8_has_an_id_too():
    half = "a\ud800"  # JSON can have half of a pair
    callers = [verifier().verify(token(client_id=client)).caller_id for client in (half, half, "a?")]
    assert callers[0] == callers[1] != callers[2]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "is not a JWKS file"),
        (b"[]", "is not a JWKS file"),
        (b'{"keys": 7}', "is not a JWKS file"),
        (b'{"keys": ["x"]}', "is not a JWKS file"),
        (b'{"keys": []}', "has no key for signatures"),
        (jwks(jwk("P-256", "one", use="enc")), "has no key for signatures"),
        (jwks(jwk("P-256", "one"), jwk("P-256", "one")), "key 2: kid must be there"),
        (jwks(jwk("P-256", "one"), jwk("P-256", "")), "key 2: kid must be there"),
        (jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "one"}), "key 1: kty, crv and alg"),
        (jwks(jwk("P-256", "one", alg="HS256")), "key 1: kty, crv and alg"),
        (jwks(jwk("RSA-1024", "one")), "key 1: an RSA key must have at least 2048 bits"),
        (jwks(jwk("P-256", "one", x="AA")), "key 1: cannot be read"),
        (jwks(jwk("P-256", "one", d="AA")), "key 1: is a private key"),
    ],
)
def test_a_wrong_file_of_public_keys_is_refused(content, problem):
    with pytest.raises(SettingsError) as caught:
        TokenVerifier(content, "jwks.json", RULES)
    assert str(caught.value).startswith("jwks.json")
    assert problem in str(caught.value)


def test_a_service_without_the_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jwt", None)
    with pytest.raises(SettingsError, match=r"pip install 'recsvc\[jwt\]'"):
        verifier()
