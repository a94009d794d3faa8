"""An InfluxDB 1 beside the other one, for sites that still have it: there when the settings have [influxdb1]."""
import secrets
import urllib.parse

from . import credentials, parts, web
from .process import Server
from .settings import HOST, StackError, write_private

ADMIN = "admin"


def url(settings):
    return f"{'https' if settings.secure else 'http'}://{HOST}:{settings['influxdb1']['port']}"


def login_file(settings):
    """One line, "user:password", as gpulse's --influxdb-token-file takes it; None without authentication."""
    return settings.secrets / "influxdb1-admin-login" if settings["influxdb1"]["authentication"] else None


def servers(settings):
    if "influxdb1" not in settings.values:
        return []
    data = settings.data("influxdb1")
    conf = settings.folder / "conf" / "influxdb1.toml"
    return [Server(
        name="influxdb1", service="influxdb1", data=data, ports=(settings["influxdb1"]["port"],),
        command=lambda: [str(parts.find("influxdb1") / "usr/bin/influxd"), "run", "-config", str(conf)],
        prepare=lambda: (data.mkdir(exist_ok=True, mode=0o700), settings.write_conf(conf.name, _conf(settings, data))),
        environment={"GOMEMLIMIT": f"{settings['influxdb1']['memory_mb']}MiB"},
        ready=lambda: web.request("GET", url(settings) + "/ping", authority=settings.authority)[0] == 204,
        settle=lambda: _set_up(settings), urgent=True)]


def _conf(settings, data):
    tls = ""
    if settings.secure:
        folder = credentials.certificates(settings)
        tls = f'https-enabled = true\nhttps-certificate = "{folder / "server.crt"}"\nhttps-private-key = "{folder / "server.key"}"\n'
    # The first address is that of its backups, which are not ours: any port that is free.
    return f"""\
# Made by deploy/stack at every start.
reporting-disabled = true
bind-address = "{HOST}:0"
[meta]
dir = "{data / 'meta'}"
[data]
dir = "{data / 'data'}"
wal-dir = "{data / 'wal'}"
query-log-enabled = false
[monitor]
store-enabled = false
[subscriber]
enabled = false
[logging]
level = "warn"
[http]
bind-address = "{HOST}:{settings['influxdb1']['port']}"
auth-enabled = {'true' if settings['influxdb1']['authentication'] else 'false'}
log-enabled = false
{tls}"""


def query(settings, text, login=None):
    return web.request("POST", url(settings) + "/query", urllib.parse.urlencode({"q": text}), login=login,
                       authority=settings.authority)


def _set_up(settings):
    """Until there is an administrator anybody on the machine may make one, so it follows the start at once."""
    file = login_file(settings)
    if not file:
        return
    if not file.exists():
        write_private(file, f"{ADMIN}:{secrets.token_urlsafe(32)}\n")
    login = file.read_text().strip()
    if query(settings, "SHOW DATABASES", login)[0] == 200:
        return
    password = login.partition(":")[2]
    status, text = query(settings, f"CREATE USER {ADMIN} WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
    if status != 200:
        raise StackError(f"influxdb1 does not take the login in {file}: {status} {text}\n"
                         "  The file is another set-up's. Put the right one back, or `deploy/stack restore`.")
