"""The real caveclient and CloudVolume, as a program that runs them one call at a time.

Reads a JSON list [name, arguments...] a line, and writes a line {"result", "printed"} or {"error", "status", "text"}.
"""

import contextlib
import io
import json
import sys

import caveclient
import requests
from caveclient import CAVEclient
from caveclient.auth import AuthClient
from caveclient.base import handle_response


class Calls:
    auth = None

    def client(self, server, **options):
        """A new AuthClient, as at the start of a program; the token that it found."""
        self.auth = AuthClient(server_address=server, **options)
        return self.auth.token

    def call(self, method, *args, **kwargs):
        return getattr(self.auth, method)(*args, **kwargs)

    def version(self):
        return caveclient.__version__

    def use(self, token):
        self.auth.token = token

    def get(self, url):
        """A request of one of caveclient's other clients."""
        return handle_response(requests.get(url, headers=self.auth.request_header))

    def post(self, url):
        return handle_response(requests.post(url, headers=self.auth.request_header))

    def status(self, url):
        return requests.get(url, headers=self.auth.request_header).status_code

    def datastack(self, name, server):
        client = CAVEclient(name, server_address=server)
        return [client.info.get_datastacks(), client.info.get_datastack_info()["local_server"]]

    def cloudvolume(self, domain=""):
        from cloudvolume.secrets import cave_credentials

        return cave_credentials(domain)

    def cloudfiles(self, folder, name):
        """What CloudVolume reads files with; the token is that of the host."""
        from cloudfiles import CloudFiles

        content = CloudFiles(f"middleauth+{folder}", progress=False).get(name)
        return None if content is None else json.loads(content)


calls = Calls()
for line in sys.stdin:
    name, args, kwargs = json.loads(line)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            result = getattr(calls, name)(*args, **kwargs)
        answer = {"result": result, "printed": printed.getvalue()}
    except Exception as error:
        response = getattr(error, "response", None)
        status = None if response is None else response.status_code
        answer = {"error": type(error).__name__, "status": status, "text": str(error)}
    print(json.dumps(answer), flush=True)
