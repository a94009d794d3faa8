"""An InfluxDB that misbehaves: it stands between a client and the real one, and spoils what is written as a test says."""
import collections
import hashlib
import http.client
import http.server
import json
import threading
import time

RETRY_AFTER_S = 1
FAULTS = ("error", "hang", "lost answer", "too many", "unavailable")


def shuffled_script(moments):
    """Every fault once, in any order, each for some requests, with undisturbed ones before it."""
    script = []
    for fault in moments.sample(FAULTS, len(FAULTS)):
        times = 1 if fault == "hang" else moments.randint(1, 8)  # a client waits long for one that hangs
        script += [None] * moments.randint(0, 6) + [fault] * times
    return script


class FaultyInfluxdb:
    """Each write meets the script's next fault, or None; behind its end all is well.

    "error": 500. "hang": taken and never answered. "lost answer": passed on, and the connection is cut before the
    answer. "too many", "unavailable": 429 and 503 with Retry-After. `always_failing`: bytes that no write may have.
    """

    def __init__(self, upstream_port, port, script=(), always_failing=None):
        self.upstream_port, self.port = upstream_port, port
        self.script = collections.deque(script)
        self.always_failing = always_failing
        self.lock = threading.Lock()
        self.asked_to_wait = {}    # by a body's hash: when
        self.impatient = []        # seconds after which such a body came again, if too early
        self.met = collections.Counter()
        self.ending = threading.Event()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                proxy.handle(self)

            do_GET = do_POST = do_DELETE = handle_request

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def healed(self):
        with self.lock:
            return not self.script

    def handle(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        fault = self.next_fault(body) if "/write" in request.path else None
        if fault == "error":
            answer(request, 500, {"code": "internal error", "message": "disturbed"})
        elif fault in ("too many", "unavailable"):
            answer(request, 429 if fault == "too many" else 503, {"message": "disturbed"}, {"Retry-After": str(RETRY_AFTER_S)})
        elif fault == "hang":
            self.ending.wait()
            request.close_connection = True
        else:
            self.pass_on(request, body, cut=fault == "lost answer")

    def next_fault(self, body):
        digest = hashlib.sha256(body).digest()
        with self.lock:
            waited = time.monotonic() - self.asked_to_wait.pop(digest, float("-inf"))
            if waited < RETRY_AFTER_S:
                self.impatient.append(waited)
            if self.always_failing and self.always_failing in body:
                return "error"
            fault = self.script.popleft() if self.script else None
            if fault in ("too many", "unavailable"):
                self.asked_to_wait[digest] = time.monotonic()
            if fault:
                self.met[fault] += 1
            return fault

    def pass_on(self, request, body, cut):
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream_port, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "connection")}
        upstream.request(request.command, request.path, body, headers)
        with upstream.getresponse() as response:
            content = response.read()
        upstream.close()
        if cut:
            request.close_connection = True
            return
        request.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                request.send_header(name, value)
        if response.status != 204:
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def answer(request, status, body, headers=None):
    content = json.dumps(body).encode()
    request.send_response_only(status)
    for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)
