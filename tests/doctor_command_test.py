#!/usr/bin/env python3
"""gpulse doctor, where no server is needed: logs, data folder, clock, and servers that are not there.

    doctor_command_test.py GPULSE
"""
import datetime
import json
import os
import pathlib
import subprocess
import sys
import time

TREE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TREE / "tests" / "follow"))
from program import HEADER, Program, now, rows, run_all  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def ask(folder, *arguments, zone="UTC", json_wanted=True, environment=None):
    """(exit code, what is said or the checks by name, what stands on standard error)."""
    words = [GPULSE, "doctor", *arguments, "--timezone", zone, *(["--json"] if json_wanted else [])]
    if "--data" not in arguments:
        words += ["--data", folder / "data"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60,
                          env=os.environ | {"GPULSE_INFLUXDB_TOKEN": ""} | (environment or {}))
    if not json_wanted or done.returncode not in (0, 1):
        return done.returncode, done.stdout, done.stderr
    result = json.loads(done.stdout)
    assert result["ok"] == (done.returncode == 0), result
    assert all(check["advice"] for check in result["checks"] if check["verdict"] in ("warn", "fail")), result
    return done.returncode, {check["name"]: check for check in result["checks"]}, done.stderr


def verdicts(checks):
    return {name: check["verdict"] for name, check in checks.items()}


def live_log(folder, hours=0):
    """A log whose last row is of now, as a PC writes it whose clock shows so many hours more than UTC."""
    log = folder / "live.txt"
    log.write_bytes(HEADER + rows(0, 20, start=now() + datetime.timedelta(hours=hours, seconds=-20)))
    return log


@scenario
def without_arguments_this_machine_is_looked_at(folder):
    code, said, _ = ask(folder, json_wanted=False)
    assert code == 0, said
    assert "data folder" in said and "disk" in said and "clock" in said, said
    assert "gpulse doctor" in said and "--kafka" in said, said
    assert "\x1b" not in said, "colours, and no terminal"
    code, checks, _ = ask(folder)
    assert verdicts(checks).keys() == {"data folder", "disk", "clock"}, checks
    assert not (folder / "data").exists(), "made the data folder"


@scenario
def a_log_that_grows_is_fine(folder):
    code, checks, _ = ask(folder, live_log(folder))
    assert code == 0, checks
    assert [verdicts(checks)[name] for name in ("log live.txt", "growth of live.txt", "zone of live.txt")] == ["ok"] * 3
    assert "20 rows" in checks["log live.txt"]["found"], checks


@scenario
def a_folder_stands_for_its_logs(folder):
    logs = folder / "logs"
    logs.mkdir()
    live_log(logs).rename(logs / "one.txt")
    live_log(logs).rename(logs / "two.txt")
    _, checks, _ = ask(folder, logs)
    assert {"log one.txt", "log two.txt"} <= checks.keys(), checks
    empty = folder / "empty"
    empty.mkdir()
    code, checks, _ = ask(folder, empty)
    assert code == 1 and "no GPU-Z log" in checks[f"logs in {empty}"]["found"], checks


@scenario
def a_wrong_zone_is_told_of(folder):
    code, checks, error = ask(folder, live_log(folder, hours=2))
    zone = checks["zone of live.txt"]
    assert code == 1 and zone["verdict"] == "fail" and "ahead of the clock" in zone["found"], checks
    assert "1 of 6 checks failed" in error, error
    code, checks, _ = ask(folder, live_log(folder, hours=-3))
    zone = checks["zone of live.txt"]
    assert code == 0 and zone["verdict"] == "warn" and "--timezone -03:00" in zone["advice"], checks
    _, checks, _ = ask(folder, live_log(folder, hours=-3), zone="-03:00")
    assert checks["zone of live.txt"]["verdict"] == "ok", checks


@scenario
def a_log_that_does_not_grow_is_told_of(folder):
    log = live_log(folder)
    os.utime(log, (time.time() - 7200, time.time() - 7200))
    code, checks, _ = ask(folder, log)
    growth = checks["growth of live.txt"]
    assert code == 0 and growth["verdict"] == "warn" and "2 h ago" in growth["found"], checks
    assert "Log to file" in growth["advice"]


@scenario
def what_is_no_log_fails(folder):
    text = folder / "notes.txt"
    text.write_text("milk, bread\n")
    code, checks, _ = ask(folder, text, folder / "missing.txt")
    assert code == 1, checks
    assert "milk" in checks["log notes.txt"]["found"] and checks["log notes.txt"]["verdict"] == "fail", checks
    assert "there is no file" in checks["log missing.txt"]["found"], checks
    assert verdicts(checks)["disk"] == "ok", "the others were not asked"
    torn = live_log(folder)
    torn.write_bytes(torn.read_bytes() + b"what is this\r\n")
    _, checks, _ = ask(folder, torn)
    assert checks["log live.txt"]["verdict"] == "warn" and "1 line" in checks["log live.txt"]["found"], checks


@scenario
def a_running_gpulse_is_fine_and_said(folder):
    log = live_log(folder)
    with Program(GPULSE, folder, log) as program:
        program.expect("live", range(20))
        address = program.url.removeprefix("http://")
        code, checks, _ = ask(folder, "--metrics", address)
        assert code == 0, checks
        assert f"process {program.process.pid}" in checks["data folder in use"]["found"], checks
        assert checks[f"healthz at {address}"]["verdict"] == checks[f"metrics at {address}"]["verdict"] == "ok", checks
        program.expect("live", range(20))
    _, checks, _ = ask(folder)
    assert "data folder in use" not in checks, checks
    code, checks, _ = ask(folder, "--metrics", address)
    assert code == 1 and checks[f"healthz at {address}"]["verdict"] == "fail", checks


@scenario
def a_data_folder_that_cannot_be_used_fails(folder):
    file = folder / "file"
    file.write_text("")
    code, checks, _ = ask(folder, "--data", file)
    assert code == 1 and "is no folder" in checks["data folder"]["found"], checks
    code, checks, _ = ask(folder, "--data", file / "below")
    assert code == 1 and "cannot be made" in checks["data folder"]["found"], checks


@scenario
def servers_that_are_away_are_told_of_soon(folder):
    token = folder / "token"
    token.touch(0o600)
    token.write_text("anything\n")
    began = time.monotonic()
    code, checks, _ = ask(folder, "--kafka", "kafka://127.0.0.1:1,127.0.0.1:2/gpu-metrics", "--influxdb",
                          "influxdb://127.0.0.1:3/gpulse/gpu-metrics", "--influxdb-token-file", token)
    assert time.monotonic() - began < 8, "kept somebody waiting"
    assert code == 1, checks
    for name in ("broker 127.0.0.1:1", "broker 127.0.0.1:2", "influxdb 127.0.0.1:3"):
        assert checks[name]["verdict"] == "fail" and "Connection refused" in checks[name]["found"], checks
    for name in ("topic gpu-metrics", "group gpulse-influxdb", "bucket gpu-metrics"):
        assert checks[name]["verdict"] == "skip", checks
    assert verdicts(checks)["disk"] == "ok"


@scenario
def a_secret_that_all_can_read_fails(folder):
    secret = folder / "secret"
    secret.write_text("hush-hush\n")
    secret.chmod(0o644)
    code, checks, _ = ask(folder, "--influxdb", "influxdb://127.0.0.1:3", "--influxdb-token-file", secret, "--kafka",
                          "kafka://127.0.0.1:1/gpu-metrics", "--user", "me", "--password-file", secret)
    assert code == 1
    for name in ("influxdb token", "kafka settings"):
        assert checks[name]["verdict"] == "fail" and "chmod 600" in checks[name]["found"], checks
    assert checks["influxdb 127.0.0.1:3"]["verdict"] == "fail", "the server was not asked"
    assert "hush-hush" not in json.dumps(checks)


@scenario
def a_wrong_command_line_is_no_check(folder):
    for words in (["--kafka", "nonsense"], ["--influxdb", "nonsense"], ["--no-such-option"],
                  ["--influxdb", "influxdb://127.0.0.1:3", "--retention", "soon"]):
        code, said, error = ask(folder, *words)
        assert code == 2 and error, (words, said, error)
    code, _, error = ask(folder, zone="Europe/Berlim")
    assert code == 2 and "Europe/Berlin" in error, error


if __name__ == "__main__":
    sys.exit(run_all("doctor", SCENARIOS))
