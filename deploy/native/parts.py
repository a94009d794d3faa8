"""The servers' files: fetched or built once into a cache outside the tree.

A part has a folder of its name in deploy/recipes, with a build.sh that fills $OUT and may use $WORK. The
part lies in CACHE/NAME-KEY, where KEY is a hash of that folder: another recipe is another part, and two
checkouts share a cache in peace. A folder of that name is whole, since it got its name last.
"""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

RECIPES = pathlib.Path(__file__).resolve().parent.parent / "recipes"
STACK = ("kafka", "kafka3", "influxdb", "influxdb1", "prometheus")
NEEDS = {"influxdb": ("go",), "telegraf": ("go",)}


class NotFetched(Exception):
    pass


def cache():
    own = os.environ.get("GPULSE_CACHE")
    home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return pathlib.Path(own).expanduser().absolute() if own else home / "gpulse" / "stack"


def key(name):
    digest = hashlib.sha256()
    for file in sorted((RECIPES / name).iterdir()):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def place(name):
    return cache() / f"{name}-{key(name)}"


def find(name):
    """The part's folder; only looks."""
    folder = place(name)
    if not folder.is_dir():
        raise NotFetched(f"{name} has not been fetched ({folder} is missing): run `make stack`")
    return folder


def missing(names):
    """Those that are yet to be made, each after what it is made with."""
    result = []
    for name in names:
        if not place(name).is_dir():
            result += [part for part in (*missing(NEEDS.get(name, ())), name) if part not in result]
    return result


def fetch(name):
    """Makes the part if it is missing; what its build.sh says goes to the terminal."""
    whole = place(name)
    if whole.is_dir():
        return
    cache().mkdir(parents=True, exist_ok=True)
    with open(cache() / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Whoever else is at it: wait, then find it done.
        if not whole.is_dir():
            _build(name, whole)


def _build(name, whole):
    out = cache() / f".{whole.name}.part"
    # Kept when a build breaks off, since half of ten minutes' objects are still good then.
    work = cache() / f".{whole.name}.work"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    work.mkdir(exist_ok=True)
    made_with = {f"PART_{need.upper()}": str(find(need)) for need in NEEDS.get(name, ())}
    status = subprocess.run(["bash", "build.sh"], cwd=RECIPES / name, stdin=subprocess.DEVNULL,
                            env={**os.environ, "OUT": str(out), "WORK": str(work), **made_with}).returncode
    if status:
        raise NotFetched(f"error: deploy/recipes/{name}/build.sh ended with {status}; what it said is above")
    out.rename(whole)
    shutil.rmtree(work, ignore_errors=True)
