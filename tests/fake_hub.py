"""A Hugging Face Hub on loopback, with the requests that create, fill and read a repository."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_of_the_test"


class FakeHub(http.server.BaseHTTPRequestHandler):
    """Repositories of a running hub, {"owner/name": {path: content}}; large files come by LFS."""

    repositories: dict[str, dict[str, bytes]]
    stored: dict[str, bytes]  # sha256 -> content, of LFS
    declared: dict[str, int]  # path -> size that the hub states, if not the content's

    def do_POST(self):
        if found := re.fullmatch(r"/api/models/(.+)/paths-info/main", self.path):
            asked = urllib.parse.parse_qs(self._body().decode())
            return self._listing(found[1], asked["paths"])
        asked = json.loads(b"[%s]" % b",".join(self._body().splitlines()))
        if self.path == "/api/validate-yaml":
            assert asked[0]["content"].startswith("---\n")
            return self._reply({"errors": [], "warnings": []})
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._reply({"error": "Invalid username or password."}, 401)
        if self.path == "/api/repos/create":
            name = "{organization}/{name}".format(**asked[0])
            self.repositories.setdefault(name, {})
            return self._reply({"url": f"{self._address()}/{name}"})
        if found := re.fullmatch(r"/api/models/(.+)/preupload/main", self.path):
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".keras") else "regular",
                    "shouldIgnore": False,
                }
                for file in asked[0]["files"]
            ]
            return self._reply({"files": files})
        if self.path.endswith(".git/info/lfs/objects/batch"):
            href = f"{self._address()}/lfs/"
            objects = [
                {**item, "actions": {"upload": {"href": href + item["oid"]}}}
                for item in asked[0]["objects"]
            ]
            return self._reply({"transfer": "basic", "objects": objects})
        found = re.fullmatch(r"/api/models/(.+)/commit/main", self.path)
        for line in asked:
            self._commit(self.repositories[found[1]], line["key"], line["value"])
        return self._reply({"commitUrl": f"{self._address()}/{found[1]}", "commitOid": COMMIT})

    def do_PUT(self):
        content = self._body()
        assert self.path == f"/lfs/{hashlib.sha256(content).hexdigest()}"
        self.stored[self.path.removeprefix("/lfs/")] = content
        self._reply({})

    def do_GET(self):
        if found := re.fullmatch(r"/api/models/(.+?)/(revision/main|tree/\w+.*)", self.path):
            if found[2] != "revision/main" or found[1] not in self.repositories:
                return self._listing(found[1])
            return self._reply({"id": found[1], "sha": COMMIT, "siblings": [], "tags": []})
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/\w+/(.+)", self.path)
        content = self.repositories[found[1]][found[2]]
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("Content-Length", str(self.declared.get(found[2], len(content))))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def do_HEAD(self):
        self.do_GET()

    def _commit(self, files, kind, value):
        if kind == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif kind == "lfsFile":
            assert value["algo"] == "sha256"
            files[value["path"]] = self.stored[value["oid"]]

    def _listing(self, name, paths=None):
        if name not in self.repositories:
            return self._reply({"error": "Repository not found"}, 404, "RepoNotFound")
        listed = [
            {
                "type": "file",
                "path": path,
                "size": self.declared.get(path, len(content)),
                "oid": hashlib.sha1(content).hexdigest(),
            }
            for path, content in self.repositories[name].items()
            if paths is None or path in paths
        ]
        return self._reply(listed)

    def _address(self):
        return f"http://{self.headers['Host']}"

    def _body(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, value, status=200, code=None):
        content = json.dumps(value).encode()
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def running() -> Iterator[tuple[type[FakeHub], str]]:
    """Run a hub: its handler, which holds the repositories, and its address."""
    handler = type("Hub", (FakeHub,), {"repositories": {}, "stored": {}, "declared": {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
