"""What the settings file says, and where things lie below its folder."""
import dataclasses
import os
import pathlib
import re
import tomllib

PROFILES = ("kraft", "kraft3", "zookeeper", "secure")
HOST = "127.0.0.1"
DEFAULT_FILE = pathlib.Path(__file__).resolve().parent.parent / "stack.toml"


class StackError(Exception):
    """Something the person at the keyboard can act upon; its text says what and how."""


@dataclasses.dataclass(frozen=True)
class Settings:
    file: pathlib.Path
    folder: pathlib.Path
    values: dict
    profile: str

    def __getitem__(self, service):
        return self.values[service]

    @property
    def secure(self):
        return self.profile == "secure"

    @property
    def secrets(self):
        return self.folder / "secrets"

    @property
    def tls(self):
        return self.secrets / "tls"

    @property
    def authority(self):
        """Whom to trust for the servers' certificates; None where they speak in the clear."""
        return str(self.tls / "ca.pem") if self.secure else None

    @property
    def backups(self):
        return self.folder / "backup"

    def data(self, server, by_profile=False):
        """Kafka's and ZooKeeper's data are each profile's own; the others keep theirs in all of them."""
        return self.folder / "data" / (self.profile if by_profile else "") / server

    def run_file(self, server):
        return self.folder / "run" / server

    def log_file(self, server):
        return self.folder / "log" / f"{server}.log"

    def write_conf(self, name, text):
        """Writes a server's settings where only their owner can read them: some hold passwords."""
        file = self.folder / "conf" / name
        write_private(file, text)
        return file


def private_folder(folder):
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def write_private(file, text):
    private_folder(file.parent)
    # Of this process alone: two that run at once may write the same.
    hidden = file.with_name(f".{file.name}.{os.getpid()}.new")
    with open(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(text)
    hidden.rename(file)


def load(file, profile):
    """Reads the file; without a profile the one that was used last counts, at first kraft."""
    file = pathlib.Path(file or os.environ.get("GPULSE_STACK") or DEFAULT_FILE)
    try:
        values = tomllib.loads(file.read_text())
        folder = pathlib.Path(values["folder"]).expanduser()
        for service, names in NEEDED.items():
            for name in names if service in values or service not in OPTIONAL else ():
                values[service][name]
    except OSError as error:
        raise StackError(f"cannot read the settings: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise StackError(f"{file}: {error}") from error
    except KeyError as error:
        raise StackError(f"{file}: {error.args[0]} is missing; deploy/stack.toml shows all that is needed") from error
    folder = folder if folder.is_absolute() else file.absolute().parent / folder
    if re.search(r"[\s:\\]", str(folder)):
        raise StackError(f"{file}: folder {str(folder)!r} has a blank, colon or backslash, "
                         "which Kafka's settings cannot hold")
    profile = profile or remembered_profile(folder) or "kraft"
    if profile not in PROFILES:
        raise StackError(f"{folder}/profile says {profile!r}, which is none of {', '.join(PROFILES)}: remove that file")
    return Settings(file.absolute(), folder, values, profile)


NEEDED = {
    "kafka": ("ports", "controller_ports", "heap_mb"),
    "zookeeper": ("port", "heap_mb"),
    "influxdb": ("port", "memory_mb"),
    "influxdb1": ("port", "memory_mb", "authentication"),
    "prometheus": ("port", "retention_days", "scrape"),
}

OPTIONAL = ("influxdb1",)


def remembered_profile(folder):
    try:
        return (folder / "profile").read_text().strip()
    except FileNotFoundError:
        return None


def remember_profile(settings):
    write_private(settings.folder / "profile", settings.profile + "\n")
