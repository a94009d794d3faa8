#!/usr/bin/env python3
"""The stack in every profile, with the real servers: used, stopped, killed, backed up, misused.

    stack_test.py [SCENARIO...]
"""
import pathlib
import shutil
import subprocess
import sys
import tarfile
import threading
import unittest.mock
import urllib.error

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "stack"))
from stack import PROGRAM, TREE, Stack, alive, listening_on, run_all, wait_until  # noqa: E402

sys.path.insert(0, str(TREE / "deploy"))
from native import parts  # noqa: E402

SCENARIOS = []
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}


def scenario(function):
    SCENARIOS.append(function)
    return function


def fill(stack):
    stack.make_topic("gpu-metrics", 2)
    stack.produce("gpu-metrics", "first", "second", "third")
    stack.make_bucket("gpu-metrics")
    stack.write("gpu-metrics", "m,gpu=a v=1 1", "m,gpu=a v=2 2", "m,gpu=b v=3 3")


def expect_filled(stack):
    assert stack.messages("gpu-metrics") == ["first", "second", "third"]
    assert stack.count("gpu-metrics") == 3


def secrets_of(stack):
    return {file.read_text().strip() for file in (stack.folder / "secrets").glob("*-*")
            if file.suffix != ".properties"}


def expect_no_secret_seen(stack, *texts):
    seen = [*texts, stack.run("status").stdout, stack.run("status", "--json").stdout]
    seen += [file.read_text(errors="replace") for file in (stack.folder / "log").iterdir()]
    for pid in filter(None, stack.pids().values()):
        seen += [pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace") for name in ("cmdline", "environ")]
    secrets = secrets_of(stack)
    assert secrets
    for secret in secrets:
        assert not any(secret in text for text in seen), "a secret can be read"


def expect_private(folder):
    for path in [folder, *folder.rglob("*")]:
        wanted = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o777 == wanted, f"{path} has mode {path.stat().st_mode:o}"


@scenario
def kraft_keeps_what_it_was_given(folder):
    with Stack(folder) as stack:
        said = stack.do("up")                    # the default profile
        assert stack.status()["profile"] == "kraft" and stack.all_ready()
        assert set(stack.states()) == {"kafka", "influxdb", "prometheus"}
        fill(stack)
        expect_filled(stack)
        for pid in stack.pids().values():
            assert listening_on(pid) and listening_on(pid) <= LOOPBACK, listening_on(pid)
        expect_private(stack.folder / "secrets")
        expect_no_secret_seen(stack, said)
        before = stack.pids()
        assert "runs already" in stack.do("up") and stack.pids() == before
        stack.do("down")
        assert stack.run("status").returncode == 1
        assert set(stack.states().values()) == {"stopped"} and not any(alive(pid) for pid in before.values())
        assert (stack.folder / "data/kraft/kafka/.kafka_cleanshutdown").exists()
        stack.do("up")
        expect_filled(stack)


@scenario
def a_topic_is_made_on_purpose_only(folder):
    with Stack(folder) as stack:
        stack.up("kafka")
        assert stack.kcat("-P", "-t", "gpu-metricz", "-X", "message.timeout.ms=3000", text="lost\n").returncode != 0
        assert stack.kafka("topics", "--list").stdout.split() == []


@scenario
def kraft_survives_kills(folder):
    with Stack(folder) as stack:
        stack.up()
        fill(stack)
        for name in ("kafka", "influxdb", "prometheus"):
            stack.kill(name)
            others = {"kafka", "influxdb", "prometheus"} - {name}
            result = stack.run("status")
            assert result.returncode == 1 and f"deploy/stack logs {name}" in result.stdout, result.stdout
            assert stack.states() == {name: "died"} | {other: "ready" for other in others}
            kept = {other: pid for other, pid in stack.pids().items() if other in others}
            assert "starts again" in stack.do("up")
            assert stack.all_ready() and kept.items() <= stack.pids().items()
        expect_filled(stack)


@scenario
def kraft3_goes_on_without_one_of_three(folder):
    with Stack(folder, "kraft3") as stack:
        stack.up("kafka")
        stack.make_topic("gpu-metrics")
        assert "ReplicationFactor: 3" in describe(stack) and "min.insync.replicas=2" in describe(stack)
        stack.produce("gpu-metrics", "before")
        stack.kill("kafka-2")
        assert stack.states()["kafka-2"] == "died" and stack.states()["kafka-1"] == "ready"
        stack.produce("gpu-metrics", "without")
        stack.do("up", "kafka")                  # the profile is remembered
        wait_until("all three are in step", lambda: in_sync(stack) == 3)
        stack.do("down", "kafka-1")              # one node alone
        assert stack.states()["kafka-1"] == "stopped"
        assert stack.messages("gpu-metrics") == ["before", "without"]
        stack.do("down")
        stack.do("up", "kafka")
        assert stack.messages("gpu-metrics") == ["before", "without"]


def describe(stack):
    return stack.kafka("topics", "--describe", "--topic", "gpu-metrics").stdout


def in_sync(stack):
    nodes = describe(stack).partition("Isr: ")[2].split()
    return len(nodes[0].split(",")) if nodes else 0


@scenario
def zookeeper_gives_a_killed_broker_back(folder):
    with Stack(folder, "zookeeper") as stack:
        assert "needs zookeeper" in stack.refused("up", "--profile", "zookeeper", "kafka")
        stack.up("zookeeper", "kafka")
        stack.make_topic("gpu-metrics")
        stack.produce("gpu-metrics", "one")
        stack.kill("kafka")
        stack.do("up", "kafka")                  # at once, while ZooKeeper still knows the broker's last life
        stack.produce("gpu-metrics", "two")
        stack.kill("zookeeper")
        stack.do("up", "zookeeper")
        stack.do("down")
        stack.do("up", "kafka", "zookeeper")
        assert stack.messages("gpu-metrics") == ["one", "two"]


@scenario
def secure_lets_each_user_do_its_own_only(folder):
    with Stack(folder, "secure") as stack:
        said = stack.up("kafka")
        expect_private(stack.folder / "secrets")
        expect_private(stack.folder / "conf")
        stack.make_topic("gpu-metrics")
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            sent = stack.kafka("produce", "--topic", "gpu-metrics", "--command-property", f"sasl.mechanism={mechanism}",
                               user="producer", text=f"by-{mechanism}\n")
            assert "rror" not in sent.stderr, sent.stderr
        assert consume(stack, "sink", "gpulse-test", 2).split() == ["by-SCRAM-SHA-256", "by-SCRAM-SHA-512"]
        assert "TopicAuthorizationException" in consume(stack, "producer", None, 1)
        assert "GroupAuthorizationException" in consume(stack, "sink", "another", 1)
        denied = stack.kafka("produce", "--topic", "gpu-metrics", user="sink", text="forged\n")
        assert "TopicAuthorizationException" in denied.stderr + denied.stdout, denied.stderr
        for user in ("producer", "sink"):
            result = stack.kafka("topics", "--create", "--topic", "elsewhere", user=user)
            assert result.returncode != 0 and "AuthorizationException" in result.stdout + result.stderr
        expect_wrong_password_refused(stack)
        assert stack.kcat("-L", "-m", "3").returncode != 0, "spoke without TLS"
        expect_no_secret_seen(stack, said)
        stack.do("down")
        stack.do("up", "kafka")
        assert consume(stack, "sink", "gpulse-again", 2).split() == ["by-SCRAM-SHA-256", "by-SCRAM-SHA-512"]


def consume(stack, user, group, messages):
    """The messages, or if there are none what the tool says instead."""
    where = ["--from-beginning", "--group", group] if group else ["--partition", "0", "--offset", "earliest"]
    result = stack.kafka("consume", "--topic", "gpu-metrics", *where, "--timeout-ms", "20000",
                         "--max-messages", str(messages), user=user)
    return result.stdout or result.stderr


def expect_wrong_password_refused(stack):
    file = stack.folder / "secrets/kafka-producer.properties"
    right = file.read_text()
    password = (stack.folder / "secrets/kafka-producer-password").read_text().strip()
    assert password in right
    file.write_text(right.replace(password, "guessed"))
    result = stack.kafka("topics", "--list", user="producer")
    assert result.returncode != 0 and "SaslAuthenticationException" in result.stdout + result.stderr
    file.write_text(right)


@scenario
def secure_speaks_to_influxdb_by_tls_only(folder):
    with Stack(folder, "secure") as stack:
        stack.up("influxdb", "prometheus")
        stack.make_bucket("gpu-metrics")
        stack.write("gpu-metrics", "m v=1 1")
        assert stack.count("gpu-metrics") == 1
        try:
            stack.influx("GET", "/health", trusting=False)
            raise AssertionError("trusted a certificate of nobody")
        except urllib.error.URLError as error:
            assert "certificate verify failed" in str(error)
        assert stack.influx("GET", "/health", scheme="http")[0] == 400
        assert stack.influx("GET", "/api/v2/buckets", token="guessed")[0] == 401
        stack.do("down")
        certificate = stack.folder / "secrets/tls/server.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-days", "3",
                        "-subj", "/CN=localhost", "-out", certificate], check=True, capture_output=True)
        stack.do("up", "influxdb")               # renews what ends soon, by the same authority
        assert stack.count("gpu-metrics") == 1


@scenario
def a_backup_brings_everything_back(folder):
    with Stack(folder) as stack:
        stack.up("kafka", "influxdb")
        fill(stack)
        token = stack.token()
        copy = folder / "copy"
        said = stack.do("backup", "kafka", "influxdb", "--to", str(copy))
        assert stack.states()["kafka"] == stack.states()["influxdb"] == "ready", said
        expect_private(copy)
        assert "there already" in stack.refused("backup", "kafka", "--to", str(copy))
        stack.produce("gpu-metrics", "later")
        stack.write("gpu-metrics", "m,gpu=c v=4 4")
        stack.do("restore", "influxdb", "--from", str(copy), "--yes")        # one service, while it runs
        assert stack.count("gpu-metrics") == 3 and "later" in stack.messages("gpu-metrics")
        assert "--yes" in stack.refused("reset")
        stack.do("reset", "--yes")
        assert not (stack.folder / "data").exists() and not (stack.folder / "secrets").exists()
        stack.do("up", "kafka", "influxdb")                                  # from nothing: another token
        assert stack.token() != token and stack.kafka("topics", "--list").stdout.split() == []
        stack.do("restore", "--from", str(copy), "--yes")
        expect_filled(stack)
        assert stack.token() == token and not (stack.folder / ".restore").exists()
        assert "is no backup" in stack.refused("restore", "--from", str(folder), "--yes")
        with tarfile.open(copy / "influxdb.tar.gz", "w:gz") as forged:
            forged.add("/etc/hostname", "../hostname")
        assert "../hostname" in stack.refused("restore", "influxdb", "--from", str(copy), "--yes")
        expect_filled(stack)
        stack.do("backup", "influxdb")                                       # to its own folder; the latest counts
        stack.write("gpu-metrics", "m,gpu=c v=4 4")
        stack.do("restore", "--yes")
        assert stack.count("gpu-metrics") == 3


@scenario
def what_fails_says_what_to_do(folder):
    with Stack(folder) as stack:
        blocker = subprocess.Popen([sys.executable, "-c", "import socket, sys\n"
                                    f"s = socket.create_server(('127.0.0.1', {stack.ports['kafka']}))\n"
                                    "print('ready', flush=True)\nsys.stdin.read()"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert blocker.stdout.readline()
        said = stack.refused("up")
        assert f"port {stack.ports['kafka']}" in said and str(stack.settings) in said, said
        assert stack.states() == {"kafka": "stopped", "influxdb": "ready", "prometheus": "ready"}
        blocker.communicate()
        stack.do("up")
        assert "profile kraft is running" in stack.refused("up", "--profile", "kraft3")
        assert "it has influxdb, kafka, prometheus" in stack.refused("up", "zookeeper")
        stack.do("down")

        bolt = stack.folder / "data/influxdb/influxd.bolt"
        shutil.copy(bolt, folder / "bolt")
        bolt.write_bytes(b"not what it was" * 4096)
        said = stack.refused("up", "influxdb")
        assert "influxdb ended" in said and "influxdb.log" in said and "bolt" in said, said
        shutil.copy(folder / "bolt", bolt)

        token = stack.folder / "secrets/influxdb-admin-token"
        token.rename(folder / "token")
        assert f"{token} is missing" in stack.refused("up", "influxdb")
        (folder / "token").rename(token)
        stack.do("up", "influxdb")
        stack.settings.write_text(stack.settings.read_text().replace("heap_mb = 64", ""))
        assert "heap_mb is missing" in stack.refused("status")
        stack.settings.write_text(stack.settings.read_text().replace("[zookeeper]", "[zookeeper]\nheap_mb = 64"))


@scenario
def without_the_servers_it_names_the_command_that_fetches_them(folder):
    with Stack(folder, environment={"GPULSE_CACHE": str(folder / "nothing")}) as stack:
        said = stack.refused("up")
        assert said.count("run `make stack`") == 3, said
        assert set(stack.states().values()) == {"stopped"}


@scenario
def a_stale_pid_harms_nobody(folder):
    with Stack(folder) as stack:
        stack.up("prometheus")
        stack.kill("prometheus")
        file = stack.folder / "run/prometheus"
        _, started, boot = file.read_text().split()
        stranger = subprocess.Popen(["sleep", "600"])
        try:
            file.write_text(f"{stranger.pid} {started} {boot}\n")            # the pid was given away again
            assert stack.states()["prometheus"] == "died"
            stack.do("up", "prometheus")
            ours = file.read_text()
            file.write_text(f"{stranger.pid} {started} another-boot\n")
            stack.do("down", "prometheus")
            assert stranger.poll() is None, "a stranger was stopped"
            file.write_text(ours)
        finally:
            stranger.kill()
            stranger.wait()
        assert stack.states()["prometheus"] == "ready"


@scenario
def two_at_once_start_one_set_of_servers(folder):
    with Stack(folder) as stack:
        results = []
        threads = [threading.Thread(target=lambda: results.append(stack.run("up", "influxdb", "prometheus")))
                   for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [result.returncode for result in results] == [0, 0, 0], results
        said = "".join(result.stdout for result in results)
        assert said.count("influxdb     runs already") == 2, said


@scenario
def a_first_set_up_that_was_cut_short_is_finished(folder):
    with Stack(folder) as stack:
        stack.up("influxdb")
        stack.do("down")
        shutil.rmtree(stack.folder / "data/influxdb")
        shutil.rmtree(stack.folder / "secrets")
        up = subprocess.Popen([PROGRAM, "up", "influxdb"], env=stack.environment, stdout=subprocess.PIPE)
        wait_until("the server was started", (stack.folder / "run/influxdb").exists)
        up.kill()
        up.communicate()
        stack.do("up", "influxdb")
        assert stack.influx("GET", "/api/v2/buckets")[0] == 200


@scenario
def a_half_finished_fetch_is_not_taken_for_whole(folder):
    recipe = folder / "recipes/thing"
    recipe.mkdir(parents=True)
    build = recipe / "build.sh"
    with unittest.mock.patch.multiple(parts, RECIPES=folder / "recipes", cache=lambda: folder / "cache"):
        build.write_text('echo half >"$OUT/file"; echo object >"$WORK/object"; exit 3\n')
        expect_not_fetched(lambda: parts.fetch("thing"), "ended with 3")
        expect_not_fetched(lambda: parts.find("thing"), "make stack")
        assert parts.missing(["thing"]) == ["thing"]
        build.write_text('[ ! -e "$OUT/file" ] || exit 4\necho "$RANDOM" >>"$OUT/file"\n')
        threads = [threading.Thread(target=parts.fetch, args=("thing",)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        first = parts.find("thing")
        assert len((first / "file").read_text().split()) == 1 and parts.missing(["thing"]) == []
        build.write_text('echo other >"$OUT/file"\n')                        # another recipe, another folder
        assert parts.missing(["thing"]) == ["thing"] and first.is_dir()
        parts.fetch("thing")
        assert parts.find("thing") != first


def expect_not_fetched(call, word):
    try:
        call()
    except parts.NotFetched as error:
        assert word in str(error), error
        return
    raise AssertionError("went on")


def main(names):
    wanted = [function for function in SCENARIOS if not names or function.__name__ in names]
    # Two at a time: each starts Java, and the machine has two cores.
    return run_all("stack", wanted, workers=2)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
