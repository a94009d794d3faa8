"""Backups: each server's data, with the secrets that belong to them, as one archive a server.

Servers are stopped while they are copied, since no copy of a running Kafka is whole; what writes to them
waits and goes on. A backup is a folder, named when it is complete:

    kafka.tar.gz  influxdb.tar.gz  secrets.tar.gz  backup.json
"""
import json
import os
import pathlib
import shutil
import tarfile
import time

from .settings import StackError, private_folder, write_private


def save(settings, servers, target):
    """Writes the backup of stopped servers and returns its folder."""
    final = pathlib.Path(target).absolute() if target else settings.backups / time.strftime("%Y-%m-%d-%H%M%S")
    if final.exists():
        raise StackError(f"{final} is there already; a backup overwrites nothing")
    private_folder(final.parent) if not target else final.parent.mkdir(parents=True, exist_ok=True)
    hidden = final.with_name(f".{final.name}.new")
    shutil.rmtree(hidden, ignore_errors=True)
    private_folder(hidden)
    try:
        for server in servers:
            _pack(hidden / f"{server.name}.tar.gz", settings.folder, _belongings(settings, server))
        _pack(hidden / "secrets.tar.gz", settings.folder, [settings.secrets])
        write_private(hidden / "backup.json", json.dumps({
            "profile": settings.profile, "servers": [server.name for server in servers],
            "made": time.strftime("%Y-%m-%dT%H:%M:%S%z")}, indent=2) + "\n")
        hidden.rename(final)
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        raise StackError(f"the backup failed and nothing of it is left: {error}") from error
    return final


def read(settings, source):
    """(folder, what backup.json says); without a source the latest of ours."""
    if source is None:
        ours = sorted(settings.backups.glob("[!.]*/backup.json"))
        if not ours:
            raise StackError(f"there is no backup in {settings.backups}; name the one to restore")
        source = ours[-1].parent
    folder = pathlib.Path(source).absolute()
    try:
        return folder, json.loads((folder / "backup.json").read_text())
    except (OSError, ValueError) as error:
        raise StackError(f"{folder} is no backup: {error}") from error


def put_back(settings, folder, servers):
    """Replaces the data of stopped servers; theirs of now go only when the backup's are all unpacked."""
    hidden = settings.folder / ".restore"
    shutil.rmtree(hidden, ignore_errors=True)
    private_folder(hidden)
    try:
        for server in servers:
            _unpack(folder / f"{server.name}.tar.gz", hidden)
        _unpack(folder / "secrets.tar.gz", hidden)
        for server in servers:
            for path in _belongings(settings, server, below=hidden):
                _replace(path, settings.folder / path.relative_to(hidden))
        for path in sorted((hidden / "secrets").iterdir()):
            mine = path.name.split("-")[0] in {server.service for server in servers}
            # Other servers may be running on the certificates of now; any will do.
            if mine or (path.name == "tls" and not settings.tls.exists()):
                _replace(path, private_folder(settings.secrets) / path.name)
    except (OSError, tarfile.TarError) as error:
        raise StackError(f"cannot restore from {folder}: {error}") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def remove(settings, servers):
    """The data of stopped servers, and their secrets."""
    for server in servers:
        for path in _belongings(settings, server):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    services = {server.service for server in servers}
    for path in settings.secrets.glob("*"):
        if path.name.split("-")[0] in services:
            path.unlink()


def _belongings(settings, server, below=None):
    """The server's data folder, and what lies beside it and is not a server's: Kafka's ids, the rights."""
    data = server.data if below is None else below / server.data.relative_to(settings.folder)
    beside = [path for path in data.parent.glob("*") if path.is_file()] if server.service == "kafka" else []
    return [path for path in (data, *beside) if path.exists()]


def _pack(archive, root, paths):
    def only_ours(entry):
        return entry if entry.isreg() or entry.isdir() else None

    # Level 1: most of it is compressed already, and the rest is mostly zeros.
    with open(os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out, \
            tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as tar:
        for path in paths:
            if path.exists():
                tar.add(path, arcname=path.relative_to(root), filter=only_ours)
    with open(archive, "rb") as written:
        os.fsync(written.fileno())


def _unpack(archive, folder):
    with tarfile.open(archive) as tar:
        # Later Pythons have a filter for this; Debian 12's 3.11.2 has none.
        for entry in tar:
            path = pathlib.PurePosixPath(entry.name)
            if path.is_absolute() or ".." in path.parts or not (entry.isreg() or entry.isdir()):
                raise StackError(f"{archive} holds {entry.name}, which is in no backup of ours: nothing was changed")
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)


def _replace(new, old):
    before = old.with_name(f".{old.name}.before")
    shutil.rmtree(before, ignore_errors=True)
    old.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if old.exists():
        old.rename(before)
    new.rename(old)
    if before.is_dir():
        shutil.rmtree(before)
    else:
        before.unlink(missing_ok=True)
