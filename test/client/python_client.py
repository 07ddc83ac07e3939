"""One unmodified Python client on a token cache, told what to do by lines of its standard input: python_client.py URL

login USER PASSWORD, cached, whoami, logout. Answers each with one line: "ok" and what was asked for, or "failed" and why.
Where another program is just writing a token, the client may read an empty one: "whoami" then goes on with what is on
disk, as a program that is started again.
"""

import sys

from tiled.client.context import Context, password_grant


def login(context, username, password):
    provider = context.server_info.authentication.providers[0]
    endpoint = provider.links["auth_endpoint"]
    tokens = password_grant(context.http_client, endpoint, provider.provider, username, password)
    context.configure_auth(tokens)


def identities(context):
    return ",".join(identity["id"] for identity in context.whoami()["identities"])


def whoami(context, url):
    for attempt in range(5):
        try:
            return context, identities(context)
        except Exception as error:
            reason = error
            context = Context.from_any_uri(url)[0]
            try:
                context.use_cached_tokens()
            except Exception:
                pass
    raise reason


def main():
    url = sys.argv[1]
    context = Context.from_any_uri(url)[0]
    print("ok ready", flush=True)
    for line in sys.stdin:
        verb, *args = line.split()
        result = ""
        try:
            if verb == "login":
                login(context, *args)
            elif verb == "cached":
                result = context.use_cached_tokens()
            elif verb == "whoami":
                context, result = whoami(context, url)
            elif verb == "logout":
                context.logout()
            print("ok", result, flush=True)
        except Exception as error:
            print("failed", type(error).__name__, str(error).replace("\n", " "), flush=True)


if __name__ == "__main__":
    main()
