"""Programs of one person that share a token cache: shared_login.py URL USERNAME PASSWORD CLIENTS WAVES SECONDS

Each is an unmodified Python client in a process of its own, as notebooks and scripts on one machine are. In each wave
all of them ask the server at once, after the access token has expired (SECONDS). The client truncates its files before it
writes them, so that another one may read an empty token and fail; what counts is that the next client goes on with the
login that is on disk. Reports how often one could not, and what else failed, as one line of JSON behind "REPORT ".
"""

import json
import multiprocessing
import sys
import time

from tiled.client.context import Context, password_grant


def from_cache(url):
    """A client that is logged in by what is on disk, or None."""
    context = Context.from_any_uri(url)[0]
    return context if context.use_cached_tokens() else None


def asks(context):
    """None, or why it failed."""
    try:
        return None if context.whoami() is not None else "anonymous"
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def again(url):
    """Whether a client that is started now goes on; it may meet the others who are just writing, too."""
    for _ in range(5):
        try:
            context = from_cache(url)
        except Exception:
            continue
        if context is None:
            return None
        if asks(context) is None:
            return context
    return None


def work(url, waves, seconds, barrier, results):
    lost, failed = 0, []
    context = from_cache(url)
    for _ in range(waves):
        barrier.wait()
        time.sleep(seconds)
        barrier.wait()
        reason = asks(context)
        if reason is not None:
            failed.append(reason)
            context = again(url) or context
            lost += asks(context) is not None
    results.put((lost, failed))


def main():
    url, username, password = sys.argv[1:4]
    clients, waves, seconds = int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6])
    context = Context.from_any_uri(url)[0]
    provider = context.server_info.authentication.providers[0]
    endpoint = provider.links["auth_endpoint"]
    tokens = password_grant(context.http_client, endpoint, provider.provider, username, password)
    context.configure_auth(tokens)
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(clients), fork.Queue()
    arguments = (url, waves, seconds, barrier, results)
    processes = [fork.Process(target=work, args=arguments) for _ in range(clients)]
    for process in processes:
        process.start()
    reports = [results.get() for _ in processes]
    for process in processes:
        process.join()
    failed = [text for _, texts in reports for text in texts]
    # The login is there for the next program, too.
    kept = from_cache(url) is not None
    report = {"lost": sum(lost for lost, _ in reports), "failed": failed, "kept": kept}
    print("REPORT " + json.dumps(report))


if __name__ == "__main__":
    main()
