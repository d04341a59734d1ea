import base64
import hashlib
import hmac
import itertools
import json
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from starlette.requests import Request

from fks_master.api.auth import NOBODY, Authority, Doorkeeper, Key, fingerprint, presented, read_token
from fks_master.api.endpoint import Access
from fks_master.clock import SystemClock

SECRET = "a secret of at least thirty-two bytes"
NOW = datetime.now(UTC)
SOON = time.time() + 3600


def text(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: object, claims: object, digest: str = "sha256") -> str:
    signing = f"{text(header)}.{text(claims)}"
    return f"{signing}.{text(hmac.new(SECRET.encode(), signing.encode(), getattr(hashlib, digest)).digest())}"


def token(**claims: object) -> str:
    return signed({"alg": "HS256", "typ": "JWT"}, {"exp": SOON, "roles": ["admin"], **claims})


def request(client: str = "127.0.0.1", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw, "client": (client, 1)})


def keeper(*keys: Key, jwt_secret: str | None = None, public_read: bool = True) -> Doorkeeper:
    return Doorkeeper(Authority(keys, jwt_secret, public_read=public_read), SystemClock())


def test_a_sound_token_is_read() -> None:
    claims = read_token(token(sub="ann"), SECRET, NOW)
    assert claims is not None
    assert claims["sub"] == "ann"
    assert read_token(jwt.encode({"exp": SOON, "roles": []}, SECRET, algorithm="HS256"), SECRET, NOW)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "a.b",
        "a.b.c",
        "x" * 1_000_000,
        signed({"alg": "HS256"}, b"[" * 4000),
        signed({"alg": "HS256"}, []),
        signed({"alg": "HS256"}, {"roles": ["admin"]}),
        f"{text({'alg': 'none'})}.{text({'exp': SOON, 'roles': ['admin']})}.",
        *(
            signed({"alg": alg}, {"exp": SOON, "roles": ["admin"]})
            for alg in ("none", "None", "nOnE", "HS384", "RS256")
        ),
        signed({"alg": "HS512"}, {"exp": SOON, "roles": ["admin"]}, "sha512"),
        signed({"alg": "HS256", "kid": "../../dev/null"}, {"exp": SOON, "roles": ["admin"]}),
        signed({"alg": "HS256", "crit": ["exp"]}, {"exp": SOON, "roles": ["admin"]}),
        signed(b'{"alg": "HS256", "alg": "HS256"}', {"exp": SOON, "roles": ["admin"]}),
        signed({"alg": "HS256"}, f'{{"exp": 1, "exp": {SOON}, "roles": ["admin"]}}'.encode()),
        token(exp=time.time() - 1),
        token(exp=None),
        token(exp=str(SOON)),
        token(exp=True),
        token(exp=float("nan")),
        token(exp=253402300799),
        token(nbf=SOON),
        token(nbf="now"),
        token(roles="admin"),
        token(roles=None),
        token(roles=[1]),
        token()[:-2] + "AA",
    ],
    ids=itertools.count(),
)
def test_a_forged_token_is_refused(forged: str) -> None:
    assert read_token(forged, SECRET, NOW) is None


def test_without_anything_configured_everybody_may() -> None:
    caller = keeper().who([])
    assert caller is not None
    assert caller.may(Access.ADMIN)


def test_with_a_key_configured_only_who_has_it_may() -> None:
    door = keeper(Key.of("ci", "right"))
    assert door.who([]) is NOBODY
    assert door.who(["wrong"]) is None
    caller = door.who(["right"])
    assert caller is not None
    assert (caller.name, caller.may(Access.ADMIN)) == ("ci", True)
    assert door.who([token()]) is None, "no Bearer token passes while only a key is configured"


def test_a_key_has_its_scopes_and_its_end() -> None:
    hour = timedelta(hours=1)
    door = keeper(
        Key("reader", fingerprint("r"), ("read",), NOW + hour), Key("gone", fingerprint("g"), ("admin",), NOW - hour)
    )
    caller = door.who(["r"])
    assert caller is not None
    assert caller.may(Access.READ)
    refusal = door.refuses(caller, Access.OPERATE, "1.2.3.4")
    assert refusal is not None
    assert refusal.status == 403
    assert door.who(["g"]) is None


@pytest.mark.parametrize(
    ("roles", "may"), [(["admin"], Access.ADMIN), (["orchestrate"], Access.OPERATE), (["viewer"], Access.READ)]
)
def test_roles_decide_what_a_token_may(roles: list[str], may: Access) -> None:
    caller = keeper(jwt_secret=SECRET).who([token(roles=roles)])
    assert caller is not None
    above = {Access.READ: Access.OPERATE, Access.OPERATE: Access.ADMIN}
    assert caller.may(may)
    assert may not in above or not caller.may(above[may])


def test_wrong_credentials_are_limited_and_the_right_one_never_is() -> None:
    door = keeper(Key.of("ci", "right"))
    statuses = []
    for number in range(150):
        refusal = door.refuses(door.who([f"wrong{number}"]), Access.OPERATE, "1.2.3.4")
        assert refusal is not None
        statuses.append(refusal.status)
    assert statuses == [401] * 100 + [429] * 50
    assert door.refuses(door.who(["right"]), Access.OPERATE, "1.2.3.4") is None
    nobody = door.refuses(door.who([]), Access.OPERATE, "1.2.3.4")
    assert nobody is not None
    assert nobody.status == 401
    other = door.refuses(door.who(["wrong"]), Access.OPERATE, "5.6.7.8")
    assert other is not None
    assert other.status == 401


def test_reading_can_be_closed_too_but_not_health() -> None:
    door = keeper(Key.of("ci", "right"), public_read=False)
    assert door.refuses(NOBODY, Access.PUBLIC, "a") is not None
    assert door.refuses(door.who(["right"]), Access.PUBLIC, "a") is None
    assert door.refuses(NOBODY, Access.OPEN, "a") is None


def test_open_mode_takes_changes_from_near_only() -> None:
    door = keeper()
    for near in ("127.0.0.1", "10.1.2.3", "::1", "::ffff:192.168.0.1"):
        assert door.refuses_open_change(request(near)) is None
    for far in ("8.8.8.8", "2001:4860:4860::8888", "nonsense"):
        assert door.refuses_open_change(request(far)) is not None
    assert door.refuses_open_change(request(x_forwarded_for="10.0.0.1")) is not None
    assert keeper(Key.of("ci", "right")).refuses_open_change(request("8.8.8.8")) is None


def test_the_credential_comes_as_x_api_key_or_as_bearer() -> None:
    assert presented(request(x_api_key="k")) == ("k",)
    assert presented(request(authorization="bearer t")) == ("t",)
    assert presented(request(x_api_key=" k ", authorization="Bearer  t ")) == ("k", "t")
    assert presented(request(authorization="Basic t")) == ()
    assert presented(request(x_api_key=" ", authorization="Bearer ")) == ()


def test_of_several_credentials_one_is_enough_and_the_best_counts() -> None:
    door = keeper(Key("reader", fingerprint("r"), ("read",)), jwt_secret=SECRET)
    for shown in (["wrong", token()], [token(), "wrong"], ["r", token()], [token(), "r"]):
        caller = door.who(shown)
        assert caller is not None
        assert caller.may(Access.ADMIN)
    assert door.who(["wrong", "r"]) == door.who(["r"])
    assert door.who(["wrong", token(exp=1)]) is None


def test_a_token_without_an_allowed_role_is_no_credential_for_a_change() -> None:
    door = keeper(jwt_secret=SECRET)
    caller = door.who([token(roles=["viewer"])])
    assert door.refuses(caller, Access.READ, "a") is None
    refusal = door.refuses(caller, Access.OPERATE, "a")
    assert refusal is not None
    assert refusal.status == 401
