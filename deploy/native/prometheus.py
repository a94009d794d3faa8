"""Prometheus, which collects what gpulse's commands and InfluxDB show at /metrics."""
import json

from . import credentials, parts, web
from .process import Server
from .settings import HOST


def servers(settings):
    data = settings.data("prometheus")
    port = settings["prometheus"]["port"]
    conf = settings.folder / "conf" / "prometheus.yml"

    days = settings["prometheus"]["retention_days"]

    def command():
        program = parts.find("prometheus")
        return [str(program / "usr/bin/prometheus"), f"--config.file={conf}", f"--web.listen-address={HOST}:{port}",
                f"--storage.tsdb.path={data}", f"--storage.tsdb.retention.time={days}d",
                f"--web.local-assets={program}/usr/share/prometheus/web/", "--web.cors.origin=^$", "--log.level=warn"]

    return [Server(name="prometheus", service="prometheus", data=data, ports=(port,), command=command,
                   prepare=lambda: settings.write_conf(conf.name, _scrape_config(settings)),
                   ready=lambda: web.request("GET", f"http://{HOST}:{port}/-/ready")[0] == 200)]


def _scrape_config(settings):
    """YAML, of which JSON is a part: nothing to quote by hand."""
    influxdb = {"job_name": "influxdb", "static_configs": [{"targets": [f"{HOST}:{settings['influxdb']['port']}"]}]}
    if settings.secure:
        influxdb |= {"scheme": "https", "tls_config": {"ca_file": str(credentials.certificates(settings) / "ca.pem")}}
    jobs = [{"job_name": "gpulse", "static_configs": [{"targets": settings["prometheus"]["scrape"]}]}, influxdb,
            {"job_name": "prometheus", "static_configs": [{"targets": [f"{HOST}:{settings['prometheus']['port']}"]}]}]
    return json.dumps({"global": {"scrape_interval": "5s"}, "scrape_configs": jobs}, indent=2) + "\n"
