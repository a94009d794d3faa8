#!/usr/bin/env python3
"""What whoever starts `gpulse run` meets: it finds GPU-Z's log or waits for it, opens the page, and a second
start leads to the first.

    start_test.py GPULSE [SCENARIO...]

With GPULSE_WINEPREFIX the program is the one for Windows, by a script that runs it in that Windows.
"""
import contextlib
import http.cookiejar
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "follow"))
from program import HEADER, PATIENCE, Writer, row, run_all, wait_until  # noqa: E402

GPULSE = pathlib.Path(sys.argv[1]).resolve()
WINDOWS = os.environ.get("GPULSE_WINEPREFIX")
TOKEN = "correct-horse&battery+staple"
DEFAULT_PORT = 8337
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def linux_only(function):
    return function if WINDOWS else scenario(function)


def windows_only(function):
    return scenario(function) if WINDOWS else function


def registry(*arguments):
    wine = pathlib.Path(__file__).resolve().parent / "windows" / "wine.sh"
    subprocess.run([wine, "reg", *arguments, "/f"], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)


class Places:
    """Desktop and documents of the user who starts the program."""

    def __init__(self, folder):
        self.made = []
        home = folder / "home"
        if WINDOWS:
            users = pathlib.Path(WINDOWS) / "drive_c" / "users"
            home = next(each for each in users.iterdir() if each.name != "Public")
        self.desktop, self.documents = home / "Desktop", home / "Documents"
        for place in (self.desktop, self.documents):
            place.mkdir(parents=True, exist_ok=True)

    def write(self, place, name="GPU-Z Sensor Log.txt", mark=1, age=0):
        log = place / name
        log.write_bytes(HEADER + row(mark))
        os.utime(log, (time.time() - age, time.time() - age))
        self.made.append(log)
        return log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for log in self.made:
            log.unlink(missing_ok=True)


class Start:
    """One start of `gpulse run`, whose words go to a file. Ended with its `with` block."""

    def __init__(self, folder, *arguments, data="data", port=0, before=(), display=False, opener="echo-all",
                 terminal=None, **more):
        self.folder = folder
        self.opened = folder / "opened.txt"
        self.output = folder / f"output-{time.monotonic_ns()}.txt"
        place = [] if port is None else ["--port", str(port)]
        self.command = [*before, GPULSE, "run", "--data", folder / data, "--timezone", "UTC", "--host", "rig",
                        *place, *arguments]
        self.environment = self._environment(display, opener) | more
        self.terminal = terminal
        self.expected = 0

    def _environment(self, display, opener):
        """With a browser that writes down what it shall show, fails, or is not there."""
        programs = self.folder / f"bin-{opener}"
        programs.mkdir(exist_ok=True)
        if opener != "none":
            script = programs / "xdg-open"
            lines = {"echo-all": f'echo "$@" >>"{self.opened}"', "failing": "exit 3",
                     "staying": f'echo "$$" >"{self.opened}"; exec sleep 600'}
            script.write_text(f"#!/bin/sh\n{lines[opener]}\n")
            script.chmod(0o755)
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "XDG_DATA_HOME")}
        path = str(programs) if opener == "none" and not WINDOWS else f"{programs}:{os.environ['PATH']}"
        environment |= {"HOME": str(self.folder / "home"), "PATH": path}
        return environment | ({"DISPLAY": ":99"} if display else {})

    def __enter__(self):
        with open(self.output, "wb") as output:
            out = self.terminal if self.terminal is not None else output
            self.process = subprocess.Popen(list(map(str, self.command)), cwd=self.folder, env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=output)
        return self

    def __exit__(self, kind, *_):
        # Wine loses a Ctrl-C in the program's first moments now and then.
        for _ in range(3 if WINDOWS else 1):
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=PATIENCE / 3 if WINDOWS else PATIENCE)
        code = self.process.poll()
        if code is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it does not end when asked to:\n{self.said()}")
        if kind is not None:
            print(self.said())
        elif code not in (0, -9) and code != self.expected:
            raise AssertionError(f"it ended with {code}:\n{self.said()}")

    def serves(self):
        """Waits until it does; its address."""
        def address():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.said()}"
            return re.search(r"gpulse \S+   (http://\S+/)", self.said())
        self.url = wait_until("the address is printed", address).group(1)
        return self.url

    def ends(self, code):
        """Waits for its end, which must be that; what it said."""
        self.expected = code
        got = self.process.wait(timeout=PATIENCE)
        assert got == code, f"it ended with {got}, not {code}:\n{self.said()}"
        return self.said()

    def said(self):
        return self.output.read_text(encoding="utf-8", errors="replace")

    def says(self, words):
        wait_until(f"it says {words!r}", lambda: words in self.said())

    def health(self):
        try:
            with urllib.request.urlopen(f"{self.url}healthz", timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def rows(self):
        with urllib.request.urlopen(f"{self.url}api/v1/devices", timeout=PATIENCE) as answer:
            return sum(device["rows"] for device in json.load(answer))

    def shown(self):
        """Waits until a page is shown; its address."""
        return wait_until("a page is shown", lambda: self.opened.exists() and self.opened.read_text()).strip()


def page_of(url):
    """The page as a browser gets it, which keeps cookies."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    with browser.open(url, timeout=PATIENCE) as answer:
        return answer.status, answer.read()


def port_of(url):
    return int(url.rstrip("/").rpartition(":")[2])


# Finding the log.

@scenario
def the_newest_log_is_found(folder):
    with Places(folder) as places:
        places.write(places.desktop, age=60)
        newest = places.write(places.documents, "gpu-z sensor log (2).TXT", age=10)
        places.write(places.documents, "another name.txt", age=1)
        with Start(folder, "--find") as program:
            program.serves()
            program.says("Ctrl-C")
            said = program.said()
            assert re.search(r"following .*gpu-z sensor log \(2\)\.TXT  as rig", said), said
            assert "newest of 2 logs" in said and "GPU-Z Sensor Log.txt" in said, said
            wait_until("its row is there", lambda: program.rows() == 1)
            assert [newest.name in each for each in program.health()["followed"]] == [True]
            assert program.health()["searched"] == []
            # A newer one elsewhere is another matter.
            places.write(places.desktop, "GPU-Z Sensor Log 3.txt")
            Writer(newest).write(row(2))
            wait_until("the next row is there", lambda: program.rows() == 2)
            assert len(program.health()["followed"]) == 1


@scenario
def where_there_is_none_it_waits_and_says_what_to_do(folder):
    with Places(folder) as places:
        with Start(folder, "--find") as program:
            program.serves()
            program.says("Ctrl-C")
            for words in ("Sensors", "Log to file", "desktop", "looking in", places.desktop.name):
                assert words in program.said(), program.said()
            health = program.health()
            assert health["status"] == "waiting" and health["followed"] == [], health
            assert any(each.endswith(places.desktop.name) for each in health["searched"]), health
            log = places.write(places.desktop)
            wait_until("its row is there", lambda: program.rows() == 1)
            program.says(f"{log.name}: found")
            health = program.health()
            assert log.name in health["followed"][0] and health["searched"] == [], health


@linux_only
def on_linux_it_is_looked_for_when_asked(folder):
    with Places(folder) as places:
        places.write(places.desktop)
        with Start(folder) as program:
            program.serves()
            program.says("--find")
            assert program.health()["followed"] == [] and program.health()["searched"] == []


@linux_only
def wines_and_localised_folders(folder):
    (folder / "home" / ".config").mkdir(parents=True)
    (folder / "home" / ".config" / "user-dirs.dirs").write_text('XDG_DESKTOP_DIR="$HOME/Schreibtisch ä"\n')
    with Places(folder) as places:
        wine = folder / "prefix" / "drive_c" / "users" / "ann" / "Desktop"
        wine.mkdir(parents=True)
        places.write(wine, mark=1)
        with Start(folder, "--find", WINEPREFIX=str(folder / "prefix")) as program:
            program.serves()
            program.says(f"following  {wine}/")
        own = folder / "home" / "Schreibtisch ä"
        own.mkdir()
        places.write(own, mark=2)
        with Start(folder, "--find", data="data2", WINEPREFIX=str(folder / "prefix")) as program:
            program.serves()
            program.says(f"following  {own}/")


@windows_only
def on_windows_it_is_looked_for_without_asking(folder):
    with Places(folder) as places:
        places.write(places.desktop)
        with Start(folder) as program:
            program.serves()
            wait_until("its row is there", lambda: program.rows() == 1)
        with Start(folder, "--no-find", data="data2") as program:
            program.serves()
            program.says("no log given")
            assert program.health()["followed"] == [] and program.health()["searched"] == []


@windows_only
def where_the_settings_of_gpuz_lead(folder):
    key = "HKCU\\Software\\techPowerUp\\GPU-Z"
    with Places(folder) as places:
        installed, named = folder / "Größe 温", folder / "rtx.txt"
        installed.mkdir()
        places.write(installed, "GPU-Z Sensor Log.txt", age=60)
        try:
            registry("add", key, "/v", "Install_Dir", "/d", f"Z:{installed}".replace("/", "\\"))
            with Start(folder) as program:
                program.serves()
                program.says("Größe 温\\GPU-Z Sensor Log.txt")
            places.write(folder, named.name)
            registry("add", key, "/v", "Whatever", "/d", f"Z:{named}".replace("/", "\\"))
            with Start(folder, data="data2") as program:
                program.serves()
                program.says("rtx.txt  as rig / rtx")
                program.says("newest of 2 logs")
        finally:
            registry("delete", key)


@scenario
def a_log_that_is_named_is_not_looked_for(folder):
    with Places(folder) as places:
        places.write(places.desktop)
        log = folder / "log.txt"
        log.write_bytes(HEADER + row(1))
        with Start(folder, log) as program:
            program.serves()
            wait_until("its row is there", lambda: program.rows() == 1)
            assert [each.endswith("log.txt") for each in program.health()["followed"]] == [True]
        with Start(folder, log, "--find") as program:
            assert "--find" in program.ends(2)
        with Start(folder, "--find", "--gpu", "a", "--gpu", "b") as program:
            assert "--gpu" in program.ends(2)


# The browser.

@scenario
def the_page_is_opened_when_asked(folder):
    with Start(folder, "--browser") as program:
        assert program.shown() == program.serves()
        assert page_of(program.shown())[0] == 200


@scenario
def the_page_is_opened_with_its_token(folder):
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    with Start(folder, "--browser", "--listen", "0.0.0.0", "--token-file", token) as program:
        url = program.shown()
        assert url.startswith(program.serves() + "?token="), url
        status, page = page_of(url)
        assert status == 200 and b"<html" in page.lower()
    program.opened.unlink()
    with contextlib.ExitStack() as programs:
        first = programs.enter_context(Start(folder, "--listen", "0.0.0.0", "--token-file", token))
        first.serves()
        second = programs.enter_context(
            Start(folder, "--listen", "0.0.0.0", "--token-file", token, "--browser"))
        second.ends(0)
        assert page_of(second.shown())[0] == 200


@scenario
def without_a_terminal_no_page_is_opened(folder):
    with Start(folder, display=True) as program:
        program.serves()
        program.health()
    assert not program.opened.exists()


@linux_only
def from_a_terminal_with_a_display_the_page_is_opened(folder):
    def opened(*arguments, **more):
        ours, theirs = os.openpty()
        with Start(folder, *arguments, data=f"data{time.monotonic_ns()}", terminal=theirs, **more) as program:
            os.close(theirs)
            said = b""
            while b"Ctrl-C" not in said:
                said += os.read(ours, 4096)
            if more.get("display") and not arguments and "SSH_CONNECTION" not in more:
                program.shown()
        os.close(ours)
        was = program.opened.exists()
        program.opened.unlink(missing_ok=True)
        return was
    assert opened(display=True)
    assert not opened("--no-browser", display=True)
    assert not opened(display=False)
    assert not opened(display=True, SSH_CONNECTION="10.0.0.1 1 10.0.0.2 22")


@linux_only
def without_a_browser_it_says_so_and_serves(folder):
    for opener in ("none", "failing"):
        with Start(folder, "--browser", opener=opener) as program:
            program.serves()
            program.says("no browser could be opened")
            assert program.health()["status"] == "waiting"
        assert len(re.findall(r"\d\d:\d\d:\d\d .*", program.said())) == 1, program.said()


@linux_only
def a_browser_that_stays_keeps_nothing_of_ours(folder):
    with Start(folder, "--browser", opener="staying") as first:
        first.serves()
        browser = int(first.shown())
    try:
        with Start(folder, port=port_of(first.url)) as again:
            assert again.serves() == first.url
    finally:
        os.kill(browser, signal.SIGKILL)


# A second start.

@scenario
def a_second_start_leads_to_the_first(folder):
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(1))
    with Start(folder, log) as first:
        first.serves()
        for arguments in ([], [log]):
            with Start(folder, *arguments, "--browser") as second:
                said = second.ends(0)
                assert f"gpulse runs already   {first.url}\n" in said.replace("\r", ""), said
                assert "since " in said and "log.txt" in said, said
                assert second.shown() == first.url
                second.opened.unlink()
        with Start(folder) as second:
            second.ends(0)
        assert not second.opened.exists()
        assert first.health()["followed"], "the first goes on"
    assert not (folder / "data" / "running.json").exists()
    with Start(folder, log) as again:
        again.serves()


@scenario
def a_second_start_for_something_else_says_how(folder):
    (folder / "log.txt").write_bytes(HEADER + row(1))
    (folder / "other.txt").write_bytes(HEADER + row(2))
    with Start(folder, "log.txt") as first:
        first.serves()
        for arguments, words in [(["log.txt", "other.txt"], "other.txt"), (["--keep", "9d"], "--keep 9d"),
                                 (["log.txt", "--gpu", "card"], "--gpu card")]:
            with Start(folder, *arguments, "--browser") as second:
                said = second.ends(1)
                for each in (first.url, words, "--data", "--port", "stop"):
                    assert each in said, said
        assert not first.opened.exists()
        with Start(folder, "other.txt", data="data2") as second:  # as it says
            second.serves()
            wait_until("its row is there", lambda: second.rows() == 1)


@scenario
def two_starts_at_once_are_one(folder):
    with Start(folder) as one, Start(folder) as other:
        def ended():
            return [each for each in (one, other) if each.process.poll() is not None]
        wait_until("one of them ends", ended)
        (second,) = ended()
        first = one if second is other else other
        assert f"gpulse runs already   {first.serves()}" in second.ends(0)


@scenario
def one_that_was_killed_misleads_nobody(folder):
    with Start(folder) as first:
        port = port_of(first.serves())
        first.process.kill()
        first.process.wait()
        if WINDOWS:
            wait_until("Windows notices", lambda: not is_taken(port))
    assert (folder / "data" / "running.json").exists()
    # Another has its port now; it is not taken for the one that was killed.
    with Start(folder, data="other", port=port) as other:
        other.serves()
        with Start(folder) as again:
            again.serves()
            assert again.url != other.url


@scenario
def a_note_that_is_not_of_who_serves_there_is_not_believed(folder):
    with Start(folder) as first, Start(folder, data="other") as other:
        first.serves(), other.serves()
        note = folder / "data" / "running.json"
        content = json.loads(note.read_text())
        for wrong in (json.dumps(content | {"url": other.url}), json.dumps(content | {"host": "elsewhere"}), "{"):
            note.write_text(wrong)
            with Start(folder, "--browser") as second:
                assert "another gpulse is using this data folder" in second.ends(1)
        assert not second.opened.exists()


def is_taken(port):
    with socket.socket() as probe:
        probe.settimeout(PATIENCE)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Stranger(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status":"live","program":{"version":"9","started":"","data":"/nowhere"}}')

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def stranger(port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Stranger)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@scenario
def a_named_port_of_another_program_is_an_error(folder):
    with stranger(0) as port:
        with Start(folder, port=port) as program:
            said = program.ends(1)
            assert f"port {port} is in use" in said and "--port" in said, said


@scenario
def the_default_port(folder):
    if is_taken(DEFAULT_PORT):
        print("start: port 8337 is in use on this machine: what happens to it is not tested")
        return
    with stranger(DEFAULT_PORT):
        with Start(folder, port=None) as program:
            assert port_of(program.serves()) > DEFAULT_PORT
            program.says(f"port {DEFAULT_PORT} is taken by another program")
            assert program.health()["status"] == "waiting"
    with Start(folder, port=None) as first:
        assert port_of(first.serves()) == DEFAULT_PORT
        # One with a folder of its own cannot have the port too, and is told so; it is led to the first when
        # it asks for no folder.
        with Start(folder, data="data2", port=None) as second:
            said = second.ends(1)
            assert "gpulse runs already" in said and "--data" in said and "--port" in said, said
        command = [each for each in second.command if each not in ("--data", folder / "data2")]
        second.command = command
        with second:
            assert "gpulse runs already" in second.ends(0)


if __name__ == "__main__":
    named = sys.argv[2:]
    sys.exit(run_all("start", [each for each in SCENARIOS if not named or each.__name__ in named],
                     workers=1 if WINDOWS else 4))
