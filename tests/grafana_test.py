#!/usr/bin/env python3
"""Holds deploy/grafana to what it promises, and runs every query in it on the real InfluxDB and Prometheus.

    tests/grafana_test.py GPULSE [TEST…]

There is no Grafana here: tests/grafana/interpolation.py puts variables and macros in as Grafana does.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "grafana"))
from provisioning_test import AlertingTest, DashboardTest, SourceTest  # noqa: E402,F401  (unittest finds them here)
from queries_test import QueryTest  # noqa: E402

if __name__ == "__main__":
    QueryTest.gpulse = pathlib.Path(sys.argv.pop(1)).resolve()
    sys.exit(unittest.main(verbosity=2, warnings="ignore"))
