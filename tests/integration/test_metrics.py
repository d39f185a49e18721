"""What `print-connector metrics` counts while jobs go their way."""

import re

from bed import PDF
from bed.route import connect

STAGES = ["cloud", "claim", "transfer", "queue", "report"]


def _metrics(daemon):
    """sample with its labels -> value"""
    text = daemon.cli("metrics", as_json=False).stdout
    assert text.endswith("# EOF\n")
    return {name: float(value) for name, value in
            re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


def test_a_job_is_counted_in_each_stage(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    before = _metrics(route.daemon)
    assert before['print_connector_stage_seconds_count{stage="queue"}'] == 0
    for _ in range(3):
        route.ended(route.submit(PDF))
    after = _metrics(route.daemon)
    for stage in STAGES:
        assert after[f'print_connector_stage_seconds_count{{stage="{stage}"}}'] == 3
        buckets = [value for name, value in after.items()
                   if name.startswith(f'print_connector_stage_seconds_bucket{{stage="{stage}"')]
        assert buckets == sorted(buckets) and buckets[-1] == 3
    assert after['print_connector_jobs_finished_total{outcome="completed"}'] == 3
    assert after["print_connector_document_bytes_total"] == 3 * PDF.stat().st_size
    assert after["print_connector_job_retries_total"] == 0
    requests = 'print_connector_cloud_requests_total{cloud="test",result="ok"}'
    assert after[requests] >= before[requests] + 3 * 4  # fetch, accept, document, report
    assert after['print_connector_notification_lag_seconds_count{cloud="test"}'] >= 1
    assert after["print_connector_store_commit_seconds_count"] \
        == after["print_connector_store_commits_total"]


def test_requests_that_fail_are_counted_by_kind(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    bed.cloud.stop()
    failed = 'print_connector_cloud_requests_total{cloud="test",result="temporary"}'
    route.daemon.wait(lambda: _metrics(route.daemon)[failed] > 0, "a request that failed")
    route.daemon.wait(lambda: _metrics(route.daemon)['print_connector_cloud_up{cloud="test"}'] == 0,
                      "a cloud that is down")


def test_no_label_names_a_user_or_a_document(bed, eve):
    route = connect(bed, bed.daemon(), eve.uri)
    route.ended(bed.cloud.print_job(PDF, name="Quarterly report"))
    text = route.daemon.cli("metrics", as_json=False).stdout
    assert "Quarterly" not in text and "alice" not in text
    labels = set(re.findall(r"[{,]([a-z_]+)=", text))
    assert labels <= {"state", "outcome", "stage", "cloud", "result", "printer", "severity", "le"}
