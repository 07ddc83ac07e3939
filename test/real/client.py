"""What a person does with the real Python client: client.py SCENARIO ARGUMENTS...

The client is unmodified and knows nothing of the test. Each scenario reports what it saw as one line of JSON behind
"REPORT "; the test runs it against the real Tiled and against ours and compares the reports.
"""

import base64
import datetime
import hashlib
import json
import stat
import sys
import time
import uuid

import httpx
import tiled.client
import tiled.client.context


def plain(value):
    """Documents of the server as JSON, with the type of what JSON has no type for."""
    if isinstance(value, datetime.datetime):
        return f"datetime, offset {value.utcoffset()}"
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def array(data):
    return [str(data.dtype), list(data.shape), hashlib.sha256(data.tobytes()).hexdigest()[:16]]


def frame(data):
    return {
        "index": [str(data.index.dtype), len(data), int(data.index[0]), int(data.index[-1])],
        "columns": {name: array(data[name].to_numpy()) for name in data.columns},
    }


def attempt(function, *args, **kwargs):
    """The result, or the name and the first line of the exception."""
    try:
        return plain(function(*args, **kwargs))
    except Exception as error:
        return {"raised": type(error).__name__, "text": str(error).strip().split("\n")[0]}


def refusal(function, *args, **kwargs):
    """The status only, where the server's words are its own."""
    return attempt(function, *args, **kwargs)["text"][:4]


def tree(c):
    """Everything of the minimal tree, whole and in parts."""
    dataset = c["D"].read()
    return {
        "list": list(c),
        "len": len(c),
        "repr": repr(c),
        "metadata": plain(c.metadata),
        "keys()[1:3]": list(c.keys()[1:3]),
        "first": repr(c.values().first()),
        "items": [key for key, _ in c.items()],
        "A": array(c["A"].read()),
        "A repr": repr(c["A"]),
        "A[0, 0]": float(c["A"][0, 0]),
        "A[:2, :3]": array(c["A"][:2, :3]),
        "A[5]": array(c["A"][5]),
        "A[::-7, 3]": attempt(lambda: array(c["A"][::-7, 3])),
        "A block": array(c["A"].read_block((0, 0))),
        "A[500]": attempt(lambda: c["A"][500]),
        "B": array(c["B"].read()),
        "B[1:3, 2, ::20]": array(c["B"][1:3, 2, ::20]),
        "C": frame(c["C"].read()),
        "C columns": c["C"].columns,
        "C x, y": frame(c["C"].read(["x", "y"])),
        "C x": array(c["C"]["x"][:3]),
        "C partition": frame(c["C"].read_partition(1)),
        "D": {name: array(dataset[name].to_numpy()) for name in dataset.variables},
        "D dims": plain(dict(dataset.sizes)),
        "D metadata": plain(c["D"].metadata),
        "D time": array(c["D"]["time"].read()),
        "D repr": repr(c["D"]),
        "missing": attempt(lambda: c["nope"]),
        "below an array": attempt(lambda: tiled.client.from_context(c.context, node_path_parts=["A", "x"])),
    }


def tokens(c):
    """Both tokens as the cache holds them now."""
    auth = c.context.http_client.auth
    return {name: auth.sync_get_token(name, reload_from_disk=True) for name in ("access_token", "refresh_token")}


def session_of(c):
    """The session's id, out of the refresh token."""
    claims = tokens(c)["refresh_token"].split(".")[1]
    return uuid.UUID(json.loads(base64.urlsafe_b64decode(claims + "=="))["sid"])


def token_files(c):
    folder = c.context._token_directory()
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in files}


def login(url):
    """from_uri asks for name and password where the server requires a login; c.login() does at any time."""
    c = tiled.client.from_uri(url)
    if not c.context.authenticated:
        c.login()
    return {
        "whoami": plain(c.context.whoami()),
        "context": repr(c.context),
        "files": token_files(c),
        "tokens": sorted(c.context.tokens),
        "tree": tree(c),
    }


def login_again(url):
    """A second login in a client that is logged in."""
    c = tiled.client.from_uri(url)
    c.login()
    sessions = c.context.whoami()["sessions"]
    return {"sessions": len(sessions), "live": sum(not session["revoked"] for session in sessions)}


def automatic(url):
    """Another process: logged in by the token cache, without a prompt."""
    c = tiled.client.from_uri(url)
    return {"whoami": plain(c.context.whoami()), "authenticated": c.context.authenticated, "list": list(c)}


def expiry(url, seconds):
    """The access token expires; the client refreshes unseen."""
    c = tiled.client.from_uri(url)
    before = tokens(c)
    time.sleep(float(seconds))
    read = [array(c["A"][:2]), list(c)]
    after = tokens(c)
    return {
        "read": read,
        "access token is new": before["access_token"] != after["access_token"],
        "refresh token is new": before["refresh_token"] != after["refresh_token"],
        "files": token_files(c),
        "forced": sorted(c.context.force_auth_refresh()),
        "whoami": plain(c.context.whoami()["identities"]),
    }


def logout(url):
    c = tiled.client.from_uri(url)
    old = tokens(c)
    c.logout()
    c.logout()  # idempotent
    answer = httpx.post(f"{c.context.api_uri}auth/session/refresh", json={"refresh_token": old["refresh_token"]})
    return {
        "authenticated": c.context.authenticated,
        "files": token_files(c),
        "automatic": c.context.use_cached_tokens(),
        "old refresh token": [answer.status_code, answer.json()],
    }


def revoked(url):
    """Sessions are revoked, the client's own last: it says that it cannot refresh."""
    c = tiled.client.from_uri(url)
    unknown = attempt(c.context.revoke_session, "00000000-0000-4000-8000-000000000000")
    others = [session["uuid"] for session in c.context.whoami()["sessions"] if session["uuid"] != str(session_of(c))]
    for session in others * 2:
        c.context.revoke_session(session)
    listed = [session["revoked"] for session in c.context.whoami()["sessions"]]
    c.context.revoke_session(session_of(c))
    forced = attempt(c.context.force_auth_refresh)
    c.context.http_client.auth.sync_clear_token("access_token")  # as if it had expired
    return {
        "unknown": unknown,
        "listed": sorted(listed),
        "forced": forced,
        "unseen": attempt(c.context.whoami),
        "files": token_files(c),
    }


def keys(url):
    """API keys: made, used, looked at, listed, revoked."""
    c = tiled.client.from_uri(url)
    wide = c.context.create_api_key()
    narrow = c.context.create_api_key(scopes=["read:metadata"], expires_in="5m", note="näme", access_tags=["a"])
    user = tiled.client.from_uri(url, api_key=wide["secret"])
    reader = tiled.client.from_uri(f"{url}/?api_key={narrow['secret']}")
    report = {
        "wide": plain(wide),
        "narrow": plain(narrow),
        "which": plain(reader.context.which_api_key()),
        "context": repr(user.context).replace(wide["secret"][:8], "********"),
        "list": attempt(lambda: list(user)),
        "metadata": attempt(lambda: repr(user["A"])),
        "data": attempt(lambda: array(user["A"].read())),
        "narrow data": attempt(lambda: reader["A"].read()),
        "login beside a key": attempt(user.context.configure_auth, {}),
        "too wide": attempt(c.context.create_api_key, scopes=["admin:apikeys"]),
        "tags with inherit": refusal(c.context.create_api_key, access_tags=["a"]),
        "narrow makes one": attempt(reader.context.create_api_key, scopes=["read:metadata"]),
        "listed": sorted(plain(c.context.whoami()["api_keys"]), key=lambda key: str(key["note"]) + str(key["scopes"])),
    }
    c.context.revoke_api_key(narrow["secret"])
    user.context.revoke_api_key(wide["first_eight"])
    report["revoked"] = [attempt(reader.context.whoami), attempt(user.context.whoami)]
    report["again"] = refusal(c.context.revoke_api_key, narrow["first_eight"])
    return report


def admin(url):
    c = tiled.client.from_uri(url)
    context = c.context
    principals = context.admin.list_principals()
    service = context.admin.create_service_principal("user")
    key = context.admin.create_api_key(service["uuid"], scopes=["read:metadata"], note="for a service")
    other = tiled.client.from_uri(url, api_key=key["secret"])
    report = {
        "list": plain([principal["identities"] for principal in principals]),
        "one": plain(context.admin.show_principal(principals[0]["uuid"])),
        "service": plain(service),
        "key": plain(key),
        "service's context": repr(other.context).replace(key["secret"][:8], "********"),
        "service's whoami": plain(other.context.whoami()),
        "service lists": attempt(other.context.admin.list_principals),
        "unknown": attempt(context.admin.show_principal, "00000000-0000-4000-8000-000000000000"),
        "unknown key": attempt(context.admin.revoke_api_key, service["uuid"], "ffffffff"),
    }
    context.admin.revoke_api_key(service["uuid"], key["first_eight"])
    report["revoked"] = attempt(other.context.whoami)
    return report


def single_user(url, *key):
    """`url` may carry ?api_key=, `key` is given as api_key=, TILED_API_KEY is in the environment: one of them."""
    report = attempt(tiled.client.from_uri, url, api_key=key[0] if key else None)
    if "raised" in report:
        return report
    c = tiled.client.from_uri(url, api_key=key[0] if key else None)
    return {"tree": tree(c), "context": repr(c.context), "whoami": plain(c.context.whoami())}


def anonymous(url):
    """Public, or anonymous beside login: read without a credential."""
    c = tiled.client.from_uri(url)
    wrong = attempt(lambda: list(tiled.client.from_uri(url, api_key="abcd")))
    return {
        "authenticated": c.context.authenticated,
        "whoami": plain(c.context.whoami()),
        "context": repr(c.context),
        "tree": tree(c),
        "wrong key": wrong,
    }


def refused(url):
    """A login that fails: three wrong passwords, or an empty one."""
    c = attempt(tiled.client.from_uri, url)
    return {key: value for key, value in c.items() if key == "raised"}


def refreshed(c):
    """A forced refresh, again where another process was just writing the files: the client does not lock them."""
    for turn in range(5):
        report = attempt(lambda: sorted(c.context.force_auth_refresh()))
        if isinstance(report, list):
            break
        time.sleep(0.05)
    return report


def together(url, rounds, start):
    """One of several processes that share a token cache and refresh at the same moments."""
    c = tiled.client.from_uri(url)
    report = []
    for number in range(int(rounds)):
        time.sleep(max(0, float(start) + number / 2 - time.time()))
        report.append([refreshed(c), plain(c.context.whoami()["identities"]), list(c)])
    return report


if __name__ == "__main__":
    report = globals()[sys.argv[1]](*sys.argv[2:])
    print("\nREPORT " + json.dumps(report), flush=True)
