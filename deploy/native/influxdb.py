"""InfluxDB, and its first set-up: an organisation, an administrator and a token of ours."""
import json

from . import credentials, parts, web
from .process import Server
from .settings import HOST, StackError

ORGANISATION = "gpulse"


def url(settings):
    return f"{'https' if settings.secure else 'http'}://{HOST}:{settings['influxdb']['port']}"


def token_file(settings):
    return settings.secrets / "influxdb-admin-token"


def servers(settings):
    data = settings.data("influxdb")

    def command():
        result = [str(parts.find("influxdb") / "influxd"),
                  "--http-bind-address", f"{HOST}:{settings['influxdb']['port']}",
                  "--bolt-path", str(data / "influxd.bolt"), "--sqlite-path", str(data / "influxd.sqlite"),
                  "--engine-path", str(data / "engine"), "--reporting-disabled", "--ui-disabled", "--pprof-disabled",
                  "--log-level", "warn"]
        if settings.secure:
            tls = credentials.certificates(settings)
            result += ["--tls-cert", str(tls / "server.crt"), "--tls-key", str(tls / "server.key"),
                       "--tls-min-version", "1.2"]
        return result

    return [Server(
        name="influxdb", service="influxdb", data=data, ports=(settings["influxdb"]["port"],), command=command,
        prepare=lambda: data.mkdir(exist_ok=True, mode=0o700),
        environment={"GOMEMLIMIT": f"{settings['influxdb']['memory_mb']}MiB"},
        ready=lambda: request(settings, "GET", "/health")[0] == 200, settle=lambda: _set_up(settings),
        urgent=True)]


def request(settings, method, path, body=None, token=None):
    return web.request(method, url(settings) + path, body, token, settings.authority)


def _set_up(settings):
    """Until this is done anybody on the machine may do it, so it follows the start at once."""
    status, text = request(settings, "GET", "/api/v2/setup")
    if status != 200:
        raise StackError(f"influxdb: asked whether it is set up, it answers {status} {text}")
    if not json.loads(text)["allowed"]:
        return _check_token(settings)
    status, text = request(settings, "POST", "/api/v2/setup", {
        "username": "admin", "password": credentials.secret(settings, "influxdb-admin-password"),
        "org": ORGANISATION, "bucket": "initial", "retentionPeriodSeconds": 0,
        "token": credentials.secret(settings, "influxdb-admin-token")})
    if status != 201:
        raise StackError(f"influxdb: the first set-up was refused: {status} {text}\n"
                         "  It is empty yet: `deploy/stack reset influxdb`, then `deploy/stack up`.")
    # The set-up insists on a bucket; those for data are `gpulse setup influxdb`'s.
    request(settings, "DELETE", f"/api/v2/buckets/{json.loads(text)['bucket']['id']}",
            token=credentials.secret(settings, "influxdb-admin-token"))


def _check_token(settings):
    file = token_file(settings)
    if not file.exists():
        raise StackError(f"influxdb was set up before, but its token is gone: {file} is missing.\n"
                         "  Put the file back, or bring both back from a backup: `deploy/stack restore`.")
    status, text = request(settings, "GET", f"/api/v2/orgs?org={ORGANISATION}", token=file.read_text().strip())
    if status != 200:
        raise StackError(f"influxdb does not take the token in {file}: {status} {text}\n"
                         "  The file is another set-up's. Put the right one back, or `deploy/stack restore`.")
