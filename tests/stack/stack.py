"""A stack of a test's own, beside whatever else runs here, and its servers as their clients see them."""
import json
import os
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = TREE / "deploy" / "stack"
sys.path.insert(0, str(TREE / "tests" / "follow"))
from program import run_all  # noqa: E402,F401  (for the tests that import this)

# Below the ports that the kernel gives to outgoing connections, so that none of those takes one of ours.
PORTS = list(range(20000, 32000))
random.shuffle(PORTS)


def free_port():
    while True:
        port = PORTS.pop()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def wait_until(what, condition, patience_s=60):
    until = time.monotonic() + patience_s
    while not (found := condition()):
        assert time.monotonic() < until, f"in vain for {patience_s} s: {what}"
        time.sleep(0.1)
    return found


class Stack:
    """deploy/stack with its own settings; as a context it ends with nothing running.

    `influxdb1`: {"authentication": whether} for an InfluxDB 1 beside the others.
    """

    def __init__(self, folder, profile="kraft", environment=None, influxdb1=None):
        self.folder = folder / "stack"
        self.settings = folder / "stack.toml"
        self.profile = profile
        self.environment = {**os.environ, "GPULSE_STACK": str(self.settings), **(environment or {})}
        self.ports = {"kafka": free_port(), "influxdb": free_port(), "prometheus": free_port(),
                      "zookeeper": free_port()}
        more = [free_port() for _ in range(5)]
        self.settings.write_text(f"""
folder = "stack"
[kafka]
ports = [{self.ports['kafka']}, {more[0]}, {more[1]}]
controller_ports = [{more[2]}, {more[3]}, {more[4]}]
heap_mb = 256
[zookeeper]
port = {self.ports['zookeeper']}
heap_mb = 64
[influxdb]
port = {self.ports['influxdb']}
memory_mb = 512
[prometheus]
port = {self.ports['prometheus']}
retention_days = 1
scrape = []
""" + ("" if influxdb1 is None else f"""
[influxdb1]
port = {free_port()}
memory_mb = 256
authentication = {str(influxdb1['authentication']).lower()}
"""))

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if failure:
            print(self.run("logs", "-n", "30").stdout, self.run("status").stdout, flush=True)
        assert self.run("down").returncode == 0

    def run(self, *arguments, text=None, environment=None):
        return subprocess.run([PROGRAM, *arguments], env=self.environment | (environment or {}), text=True, input=text,
                              capture_output=True, timeout=300)

    def do(self, *arguments, **more):
        result = self.run(*arguments, **more)
        assert result.returncode == 0, f"{arguments}: {result.stdout}{result.stderr}"
        return result.stdout

    def refused(self, *arguments, **more):
        """What it says on its way out with an error of its own, and not with a trace of Python's."""
        result = self.run(*arguments, **more)
        assert result.returncode == 1, f"{arguments} went on: {result.stdout}{result.stderr}"
        assert "Traceback" not in result.stderr, result.stderr
        return result.stderr

    def up(self, *services):
        return self.do("up", "--profile", self.profile, *services)

    def status(self):
        return json.loads(self.run("status", "--json").stdout)

    def states(self):
        return {server["name"]: server["state"] for server in self.status()["servers"]}

    def pids(self):
        return {server["name"]: server["pid"] for server in self.status()["servers"]}

    def kill(self, name):
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        wait_until(f"{name} is gone", lambda: not alive(pid))
        return pid

    def all_ready(self):
        states = self.states()
        return set(states.values()) == {"ready"}

    # --- Kafka ----------------------------------------------------------------------------------

    @property
    def bootstrap(self):
        return self.status()["access"]["kafka"]["bootstrap"]

    def kafka(self, tool, *arguments, user="admin", text=None):
        return self.run("kafka", "--user", user, tool, *arguments, text=text)

    def make_topic(self, name, partitions=1):
        result = self.kafka("topics", "--create", "--topic", name, "--partitions", str(partitions))
        assert result.returncode == 0, result.stdout + result.stderr

    def kcat(self, *arguments, text=None):
        return subprocess.run(["kcat", "-q", "-b", self.bootstrap, *arguments], input=text, text=True,
                              capture_output=True, timeout=90)

    def produce(self, topic, *messages):
        result = self.kcat("-P", "-t", topic, "-X", "acks=all", text="\n".join(messages) + "\n")
        assert result.returncode == 0, result.stderr

    def messages(self, topic):
        result = self.kcat("-C", "-t", topic, "-o", "beginning", "-e")
        assert result.returncode == 0, result.stderr
        return sorted(result.stdout.split())

    # --- InfluxDB -------------------------------------------------------------------------------

    def token(self):
        return pathlib.Path(self.status()["access"]["influxdb"]["token_file"]).read_text().strip()

    def influx(self, method, path, body=None, token=None, trusting=True, scheme=None, kind="application/json"):
        """(status, text); raises URLError when there is no talking to it."""
        access = self.status()["access"]
        url = access["influxdb"]["url"]
        if scheme:
            url = f"{scheme}:{url.partition(':')[2]}"
        authority = access["authority_file"]
        context = ssl.create_default_context(cafile=authority if trusting else None)
        body = json.dumps(body) if isinstance(body, dict) else body
        call = urllib.request.Request(url + path, method=method, data=None if body is None else body.encode(), headers={
            "Authorization": f"Token {token or self.token()}", "Content-Type": kind})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(call, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def make_bucket(self, name):
        status, text = self.influx("GET", "/api/v2/orgs?org=gpulse")
        assert status == 200, text
        organisation = json.loads(text)["orgs"][0]["id"]
        status, text = self.influx("POST", "/api/v2/buckets", {"orgID": organisation, "name": name, "retentionRules": []})
        assert status == 201, text

    def write(self, bucket, *lines):
        status, text = self.influx("POST", f"/api/v2/write?org=gpulse&bucket={bucket}&precision=ns", "\n".join(lines))
        assert status == 204, text

    def count(self, bucket):
        flux = f'from(bucket: "{bucket}") |> range(start: 0) |> group() |> count() |> keep(columns: ["_value"])'
        status, text = self.influx("POST", "/api/v2/query?org=gpulse", flux, kind="application/vnd.flux")
        assert status == 200, text
        rows = text.split()
        return int(rows[-1].rpartition(",")[2]) if rows else 0


def run_on_stack(name, scenarios, services, workers=1):
    """Runs scenario(stack, folder) for each, or for those that the command line names, on one stack; the exit code.

    With one worker, one after the other: for those that stop the servers.
    """
    named = sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix=f"gpulse-{name}-") as folder, Stack(pathlib.Path(folder)) as stack:
        stack.up(*services)

        def bound(each):
            def run(own):
                return each(stack, own)
            run.__name__ = each.__name__
            return run
        return run_all(name, [bound(each) for each in scenarios if not named or each.__name__ in named], workers)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def listening_on(pid):
    """The addresses (IPv4 and IPv6, as the kernel writes them) at which the process listens."""
    sockets = {os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir() if entry.is_symlink()}
    found = set()
    for table in ("tcp", "tcp6"):
        for row in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found
