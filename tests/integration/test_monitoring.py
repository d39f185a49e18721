"""The alert rules and the dashboard under packaging/, and the text of the metrics, as Prometheus'
own tools read them."""

import json
import re
import subprocess

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic

from bed import PDF, ROOT
from bed.route import connect

RULES = ROOT / "packaging/prometheus/print-connector.rules.yml"
DASHBOARD = ROOT / "packaging/grafana/print-connector.json"
CASES = ROOT / "tests/data/prometheus/alerts.yml"
SUFFIXES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def _promtool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _samples():
    """name of each sample there can be -> its labels"""
    table = (ROOT / "common/metrics.h").read_text()
    found = re.findall(r'X\([A-Z_]+, "(print_[a-z_]+)", ([A-Z]+), "([a-z_,]*)"', table)
    assert len(found) > 10
    return {name + suffix: set(filter(None, labels.split(","))) | {"instance", "le"}
            for name, kind, labels in found for suffix in SUFFIXES[kind.lower()]}


def _expressions():
    """(where, PromQL) of rules and dashboard"""
    text = RULES.read_text()
    for name, body in re.findall(r"- alert: (\w+)\n(.*?)labels:", text, re.DOTALL):
        yield name, body
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def test_the_rules_are_valid_and_each_alert_fires_when_it_should(tmp_path):
    _promtool("check", "rules", RULES)
    cases = tmp_path / "alerts.yml"
    cases.write_text(CASES.read_text().replace("RULES", str(RULES)))
    _promtool("test", "rules", cases)
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    assert alerts == set(re.findall(r"alertname: (\w+)", CASES.read_text()))


def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    rules = [{"record": "panel", "expr": target["expr"].replace("$instance", ".*")}
             for panel in json.loads(DASHBOARD.read_text())["panels"]
             for target in panel["targets"]]
    assert len(rules) > 15
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [
        {"name": f"panel {i}", "rules": [rule]} for i, rule in enumerate(rules)]}))
    _promtool("check", "rules", file)


@pytest.mark.parametrize("where, expression", list(_expressions()))
def test_only_metrics_and_labels_that_exist_are_asked_for(where, expression):
    samples = _samples()
    used = re.findall(r"(print_connector_[a-z_]+)(?:\{([^}]*)\})?", expression)
    assert used or "node_textfile" in expression, where
    for name, selector in used:
        assert name in samples, f"{where}: {name}"
        assert set(re.findall(r"(\w+)=", selector)) <= samples[name], f"{where}: {selector}"


def test_every_metric_is_on_the_dashboard_or_in_a_rule_or_of_no_use_there():
    asked = " ".join(expression for _, expression in _expressions())
    table = (ROOT / "common/metrics.h").read_text()
    names = re.findall(r'X\([A-Z_]+, "(print_[a-z_]+)", [A-Z]+, "', table)
    unasked = {name for name in names if name not in asked}
    assert unasked == {"print_connector_start_time_seconds", "print_connector_http_requests"}


def test_what_the_connector_tells_is_what_prometheus_reads(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    route.ended(route.submit(PDF))
    text = route.daemon.cli("metrics", as_json=False).stdout
    strict = {sample.name for family in openmetrics(text) for sample in family.samples}
    # this printer has no certificate
    assert strict == set(_samples()) - {"print_connector_certificate_days"}
    # node_exporter's textfile collector reads the older format
    older = {sample.name for family in classic(text) for sample in family.samples}
    assert older == strict
