"""One server as a process: started away from the terminal, waited for, stopped by its own id.

A pid alone is no identity, since the kernel gives it away again: what is written down is the pid with the
process's start time and the boot it belongs to.
"""
import os
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from .settings import HOST, StackError, private_folder, write_private

LOG_BYTES_MAX = 10 << 20
DYING_S = 10  # a killed server is gone well before


@dataclass
class Server:
    name: str
    service: str
    ports: tuple
    data: Path
    command: Callable            # -> argument list; may raise parts.NotFetched
    ready: Callable              # -> bool: the condition to wait for; false as well when nothing answers
    environment: dict = field(default_factory=dict)
    prepare: Callable = lambda: None   # before the start: settings, formatting
    settle: Callable = lambda: None    # once ready: first set-up, rights
    after: tuple = ()            # services that must be ready before
    urgent: bool = False         # not to be left alone between start and settle
    patience_s: float = 90


def _state_and_start(pid):
    """The letter of its state, and the start in clock ticks since boot; None when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None, None
    fields = stat.rpartition(")")[2].split()   # a program's name may hold blanks and brackets
    return fields[0], fields[19]


def _start_time(pid):
    """None also when only its remains are there."""
    state, started = _state_and_start(pid)
    return None if state in ("Z", "X") else started


def _boot():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def written_down(settings, server):
    """The pid that was written down at the start, whatever became of it; None when it was stopped."""
    try:
        return int(settings.run_file(server.name).read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def pid_of(settings, server):
    """The pid of the running server, or None."""
    try:
        pid, started, boot = settings.run_file(server.name).read_text().split()
    except (FileNotFoundError, ValueError):
        return None
    return int(pid) if boot == _boot() and started == _start_time(pid) else None


def _ended(pid, wait_s):
    """Waits for the end of the process, at most so long."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], wait_s)[0])
    finally:
        os.close(handle)


def log_tail(settings, server, lines=15):
    try:
        with open(settings.log_file(server.name), "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - 65536))
            text = log.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        text = []
    return "\n".join(f"    {line}" for line in text) or "    (its log is empty)"


def failure(settings, server, what, advice):
    return StackError(f"{server.name} {what}\n  the end of {settings.log_file(server.name)}:\n"
                      f"{log_tail(settings, server)}\n  {advice}")


def _check_ports(settings, server):
    for port in server.ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise StackError(f"{server.name} cannot start: port {port}: {error.strerror}.\n"
                                 f"  `ss -ltnp sport = :{port}` shows who has it. Stop that program, or give "
                                 f"{server.service} another port in {settings.file}") from error


def _open_log(settings, server):
    file = settings.log_file(server.name)
    private_folder(file.parent)
    if file.exists() and file.stat().st_size > LOG_BYTES_MAX:
        file.rename(file.with_suffix(".log.1"))
    log = open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w")
    log.write(f"{_life_mark(server)}{time.strftime('%Y-%m-%d %H:%M:%S')} ---\n")
    log.flush()
    return log


def _life_mark(server):
    return f"--- {server.name} starts, "


def log_of_this_life(settings, server):
    """What it has logged since it was started last."""
    return settings.log_file(server.name).read_text(errors="replace").rpartition(_life_mark(server))[2]


def _let_die(settings, server):
    """Of a server that was just killed, threads may still be about to die and hold its ports."""
    try:
        pid, started, boot = settings.run_file(server.name).read_text().split()
    except (FileNotFoundError, ValueError):
        return
    if boot == _boot() and started == _state_and_start(pid)[1]:
        _ended(int(pid), DYING_S)


def start(settings, server):
    """Starts a server that is known not to run; does not wait for it to be ready."""
    _let_die(settings, server)
    _check_ports(settings, server)
    command = server.command()
    private_folder(server.data.parent)
    server.prepare()
    with _open_log(settings, server) as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=settings.folder,
                                 env={**os.environ, **server.environment}, start_new_session=True, umask=0o077)
    write_private(settings.run_file(server.name), f"{child.pid} {_start_time(child.pid)} {_boot()}\n")


def wait_ready(settings, server):
    until = time.monotonic() + server.patience_s
    pid = written_down(settings, server)
    while not server.ready():
        if _ended(pid, 0.1):
            raise failure(settings, server, "ended while it was starting",
                          "Mend what the lines above complain of, then `deploy/stack up`.")
        if time.monotonic() > until:
            raise failure(settings, server, f"runs, but was not ready within {server.patience_s:.0f} s",
                          f"It is left running. `deploy/stack logs {server.name} -f` shows whether it is still busy; "
                          f"`deploy/stack down {server.name}` stops it.")


def stop(settings, servers, patience_s=60):
    """Asks all of them to end, then waits for each. Returns the names of those that ran."""
    running = [(server, pid) for server in servers if (pid := pid_of(settings, server))]
    for _, pid in running:
        _signal(pid, signal.SIGTERM)
    until = time.monotonic() + patience_s
    for server, pid in running:
        if not _ended(pid, max(0, until - time.monotonic())):
            print(f"  {server.name:<12} did not stop within {patience_s} s and is killed", flush=True)
            _signal(pid, signal.SIGKILL)
            _ended(pid, 10)
    for server in servers:
        settings.run_file(server.name).unlink(missing_ok=True)
    return [server.name for server, _ in running]


def _signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def port_answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def poll_until(condition, patience_s):
    """For conditions that announce themselves to nobody; False when they did not come true."""
    until = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
