#!/usr/bin/env python3
"""Reads deploy/compose.yaml as Docker Compose does, and holds it to what it promises. Needs no Docker."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import yaml

DEPLOY = pathlib.Path(__file__).resolve().parent.parent / "deploy"
SECRETS = {"INFLUXDB_PASSWORD": "secret-one", "INFLUXDB_TOKEN": "secret-two", "GRAFANA_PASSWORD": "secret-three",
           "GPULSE_TOKEN": "secret-four"}
# There only after the first start.
READ_TOKEN = {"INFLUXDB_READ_TOKEN": "secret-five"}
PORTS = {"kafka": 9092, "influxdb": 8086, "prometheus": 9090, "grafana": 3000}


def compose(secrets):
    """What `docker-compose config` says; a .env of this tree is kept out."""
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS | READ_TOKEN}
    with tempfile.NamedTemporaryFile() as empty:
        return subprocess.run(["docker-compose", "--env-file", empty.name, "-f", DEPLOY / "compose.yaml", "config"],
                              env=environment | secrets, capture_output=True, text=True)


class ComposeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        result = compose(SECRETS | READ_TOKEN)
        assert result.returncode == 0, result.stderr
        cls.file = yaml.safe_load(result.stdout)
        cls.services = cls.file["services"]

    def test_has_every_service_at_its_usual_port_on_loopback_only(self):
        self.assertEqual(set(self.services), set(PORTS))
        for name, service in self.services.items():
            for port in service["ports"]:
                self.assertEqual(port, f"127.0.0.1:{PORTS[name]}:{PORTS[name]}/tcp", name)

    def test_pins_every_image_by_its_full_version(self):
        for name, service in self.services.items():
            self.assertRegex(service["image"], r":v?\d+\.\d+\.\d+$", name)

    def test_runs_the_versions_that_the_stack_without_docker_runs(self):
        kafka_pom = (DEPLOY / "recipes/kafka/pom.xml").read_text()
        kafka = re.search(r"kafka_2\.13</artifactId>\s*<version>(.*?)<", kafka_pom)[1]
        influxdb = re.search(r"influxdb/v2 v(\S+)", (DEPLOY / "recipes/influxdb/go.mod").read_text())[1]
        self.assertEqual(self.services["kafka"]["image"], f"apache/kafka:{kafka}")
        self.assertEqual(self.services["influxdb"]["image"], f"influxdb:{influxdb}")

    def test_watches_and_restarts_every_service(self):
        for name, service in self.services.items():
            self.assertEqual(service["restart"], "unless-stopped", name)
            self.assertIn("test", service["healthcheck"], name)
            self.assertIn("interval", service["healthcheck"], name)

    def test_keeps_data_in_named_volumes_and_mounts_only_what_is_there(self):
        for name, service in self.services.items():
            sources = [volume.split(":")[0] for volume in service["volumes"]]
            self.assertTrue(any(source in self.file["volumes"] for source in sources), name)
            for source in sources:
                self.assertTrue(source in self.file["volumes"] or pathlib.Path(source).exists(), source)

    def test_has_no_password_of_its_own(self):
        for name in SECRETS:
            result = compose({other: value for other, value in SECRETS.items() if other != name})
            self.assertNotEqual(result.returncode, 0, f"went on without {name}")
            self.assertIn(name, result.stderr)
        given = [value for service in self.services.values() for key, value in service.get("environment", {}).items()
                 if re.search("PASSWORD|TOKEN", key)]
        self.assertEqual(sorted(given), sorted((SECRETS | READ_TOKEN).values()))
        self.assertEqual(compose(SECRETS).returncode, 0, "the token for reading is made after the first start")

    def test_gives_grafana_all_that_its_provisioning_names(self):
        service = self.services["grafana"]
        mounted = {volume.split(":")[0] for volume in service["volumes"]}
        folders = [folder for folder in (DEPLOY / "grafana" / "provisioning").iterdir()]
        self.assertLessEqual({str(folder) for folder in folders}, mounted)
        files = [path.read_text() for folder in folders for path in folder.glob("*.yaml")]
        named = {name for text in files for name in re.findall(r"\$(GPULSE_\w+|GF_\w+)", text)}
        self.assertIn("GPULSE_INFLUXDB_READ_TOKEN", named)
        self.assertLessEqual(named, set(service["environment"]))

    def test_prometheus_asks_services_that_exist(self):
        config = yaml.safe_load((DEPLOY / "compose-prometheus.yaml").read_text())
        static = [entry for job in config["scrape_configs"] for entry in job["static_configs"]]
        for target in (target for entry in static for target in entry["targets"]):
            host, port = target.split(":")
            self.assertIn(host, {*self.services, "host.docker.internal", "127.0.0.1"})
            if host in PORTS:
                self.assertEqual(int(port), PORTS[host])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
