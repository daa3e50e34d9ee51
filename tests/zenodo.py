"""A Zenodo on this machine, with a record of one's own and the faults of real servers."""

import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from contextlib import contextmanager


class Zenodo:
    """Serves one record; `faults` are taken from the front, one a request for a file.

    A fault is a status (`503`, or `(429, "7")` with a Retry-After), `("cut", n)` to close after n bytes of the rest,
    `("cut from the start", n)` to ignore a Range too, `"wrong"` to send other bytes, `"no ranges"` to
    ignore a Range, or `None`.
    """

    def __init__(self, files, *, number=3678171, api="new"):
        self.files, self.number, self.api = files, number, api
        self.faults, self.record_faults, self.requests = [], [], []
        self.md5 = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}

    def answer(self):
        """What the record's address answers: as Zenodo does now, or did before."""
        metadata = {"title": "A record", "license": {"id": "cc-by-nc-sa-4.0"}}
        name, prefix = ("key", "md5:") if self.api == "new" else ("filename", "")
        files = [
            {name: file, "size": len(content), "checksum": prefix + self.md5[file]}
            for file, content in self.files.items()
        ]
        return {"metadata": metadata, "files": files}

    @contextmanager
    def serve(self):
        """The base address of the server, while it runs."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _handler(zenodo):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == f"/api/records/{zenodo.number}":
                    return self.record()
                match = re.fullmatch(rf"/records/{zenodo.number}/files/([^?]+)\?download=1", self.path)
                content = zenodo.files.get(urllib.parse.unquote(match[1])) if match else None
                return self.send_error(404) if content is None else self.file(content)

            def record(self):
                fault = zenodo.record_faults.pop(0) if zenodo.record_faults else None
                if isinstance(fault, int):
                    return self.send_error(fault)
                content = json.dumps(zenodo.answer()).encode() if fault is None else fault
                self.begin(200, len(content))
                self.wfile.write(content)

            def file(self, content):
                wanted = self.headers.get("Range")
                zenodo.requests.append(wanted)
                fault = zenodo.faults.pop(0) if zenodo.faults else None
                status, detail = fault if isinstance(fault, tuple) else (fault, None)
                if isinstance(status, int):
                    return self.begin(status, 0, {"Retry-After": detail} if detail else {})
                if fault == "wrong":
                    content = bytes(len(content))
                resumes = wanted and status not in ("no ranges", "cut from the start")
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) if resumes else 0
                rest = content[start:]
                if start >= len(content):
                    return self.begin(416, 0)
                ranges = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"} if start else {}
                self.begin(206 if start else 200, len(rest), ranges)
                self.wfile.write(rest[:detail] if isinstance(fault, tuple) else rest)
                self.close_connection = True

            def begin(self, status, length, headers=None):
                self.send_response(status)
                for name, value in {"Content-Length": length, **(headers or {})}.items():
                    self.send_header(name, str(value))
                self.end_headers()

            def log_message(self, *_):
                pass

        return Handler
