"""The monitoring files: real names, alerts that fire and do not, a remedy for each, files that promtool reads."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml  # type: ignore[import-untyped]  # no stubs

from recsvc.domain.degradation import Degradation
from recsvc.runtime import metrics
from recsvc.runtime.rungs import DEGRADATION_OF, Rung
from tests.docs.test_links import anchors

FOLDER = Path("deploy/monitoring")
ALERTS = Path("deploy/ALERTS.md").read_text("utf-8")
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
TESTS = ("slo_test.yml", "alerts_test.yml", "access_test.yml")
OBJECTIVES = ("lists", "latency", "degraded", "writes")
# Conditions whose alert is on another metric, which lasts longer than the condition or was there before.
OTHERWISE_ALERTED = {
    Rung.ITEMS_BEHIND: "recsvc_catalogue_behind",
    Rung.REDIS_LOST_DATA: "recsvc_redis_losses_total",
    Rung.REDIS_EVICTING: "recsvc_redis_losses_total",
    Rung.REDIS_MAY_EVICT: "recsvc_redis_may_evict",
}
_NAME = re.compile(r"\b(recsvc_[a-z_]+|recsvc:[a-z_:]+[0-9]+[mhd]|process_[a-z_]+)\b")
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on this machine")


def exported() -> dict[str, set[str]]:
    """The samples that the service exports, by the name of their metric."""
    assert metrics.REQUESTS  # which registers them all
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    return {
        family.name: {family.name + suffix for suffix in suffixes[family.type]}
        for family in prometheus_client.REGISTRY.collect()
        if family.name.startswith(("recsvc_", "process_"))
    }


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def rules(name: str) -> list[dict[str, Any]]:
    return [rule for group in read(name)["groups"] for rule in group["rules"]]


def slo_text() -> str:
    return (FOLDER / "slo.yml").read_text("utf-8")


def dashboard_expressions() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", ())]


EXPRESSIONS = [*dashboard_expressions(), *(rule["expr"] for name in ("slo.yml", "alerts.yml") for rule in rules(name))]


def test_every_name_in_the_dashboard_and_the_rules_is_exported():
    known = set().union(*exported().values(), (rule["record"] for rule in rules("slo.yml")))
    names = {name for expression in EXPRESSIONS for name in _NAME.findall(expression)}
    assert names - known == set()
    assert len(names) > 40


def test_every_metric_of_the_service_is_on_the_dashboard():
    shown = {name for expression in dashboard_expressions() for name in _NAME.findall(expression)}
    missing = {name for name, samples in exported().items() if name.startswith("recsvc_") and not samples & shown}
    assert missing == set()


def test_panels_have_ids_of_their_own_and_a_unit():
    panels = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            assert panel["description"] or panel["title"].startswith("Seconds")


def test_labels_in_the_dashboard_and_the_rules_are_those_of_the_metrics():
    labels = {
        name: set(metric._labelnames) | {"le", "instance", "job"}  # noqa: SLF001 - prometheus_client does not show them
        for metric in vars(metrics).values()
        if isinstance(metric, prometheus_client.metrics.MetricWrapperBase)
        for name in exported()[metric._name]  # noqa: SLF001
    }
    for expression in EXPRESSIONS:
        for name, selector in re.findall(r"\b(recsvc_[a-z_]+)\{([^}]*)\}", expression):
            assert set(re.findall(r"([a-z_]+)\s*[=!]~?", re.sub(r'"[^"]*"', "", selector))) <= labels[name], expression


def test_an_objective_has_a_rule_for_each_window_with_that_window_alone():
    records = {rule["record"]: rule["expr"] for rule in rules("slo.yml")}
    assert set(records) == {f"recsvc:slo_{name}:failed_{window}" for name in OBJECTIVES for window in WINDOWS}
    for name in OBJECTIVES:
        texts = [records[f"recsvc:slo_{name}:failed_{window}"].replace(f"[{window}]", "[W]") for window in WINDOWS]
        assert len(set(texts)) == 1
        assert "[W]" in texts[0]


def test_the_bound_of_the_latency_objective_is_a_bucket():
    bounds = set(re.findall(r'le="([\d.]+)"', slo_text()))
    assert bounds
    assert {float(bound) for bound in bounds} <= set(metrics.REQUEST_SECONDS._upper_bounds)  # noqa: SLF001


def test_an_alert_has_a_severity_a_summary_and_its_own_section_in_the_runbook():
    alerts = rules("alerts.yml")
    names = [rule["alert"] for rule in alerts]
    sections = re.findall(
        r"^## (Recsvc\w+)\n\n- \*\*Meaning\*\*: (\w+)\. .+\n- \*\*Look at\*\*: .+\n", ALERTS, re.MULTILINE
    )
    assert [name for name, _ in sections] == names
    assert ALERTS.count("\n- **Do**: ") == len(names)
    for rule, (_, severity) in zip(alerts, sections, strict=True):
        assert rule["labels"] == {"severity": severity}
        assert severity in ("page", "ticket")
        assert rule["annotations"]["summary"]
        base, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert base == "{{ $externalLabels.runbooks }}"
        assert anchor == rule["alert"].lower()
        assert anchor in anchors(ALERTS)


def conditions_of(alert: str) -> list[str]:
    [rule] = [rule for rule in rules("alerts.yml") if rule["alert"] == alert]
    return str(re.findall(r'condition=~"([^"]*)"', rule["expr"])[0]).split("|")


def test_a_condition_has_one_alert_and_its_remedy_in_the_runbook():
    alerts = {alert: conditions_of(alert) for alert in ("RecsvcSevereCondition", "RecsvcMildCondition")}
    alerted = [condition for conditions in alerts.values() for condition in conditions]
    assert sorted([*alerted, *OTHERWISE_ALERTED]) == sorted(Rung)
    for alert, conditions in alerts.items():
        section = ALERTS.partition(f"## {alert}\n")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \| \S", section, re.MULTILINE) == conditions
    expressions = " ".join(rule["expr"] for rule in rules("alerts.yml"))
    assert {name for name in OTHERWISE_ALERTED.values() if name not in expressions} == set()


def test_a_degradation_is_in_the_objective_or_leaves_lists_complete_in_a_condition_with_an_alert():
    counted = {name for names in re.findall(r'degradation=~"([^"]*)"', slo_text()) for name in names.split("|")}
    complete = {
        DEGRADATION_OF[Rung(condition)].value
        for alert in ("RecsvcSevereCondition", "RecsvcMildCondition")
        for condition in conditions_of(alert)
        if Rung(condition) in DEGRADATION_OF
    }
    assert counted.isdisjoint(complete)
    assert counted | complete | {Degradation.REASONS_DROPPED.value} == {d.value for d in Degradation}


# The server begins the series of its methods, and a supervisor those of its workers.
SET_WHEN_SERVING = {"recsvc_requests_total", "recsvc_worker_restarts_total"}


def test_a_counter_of_an_alert_on_an_increase_is_zero_before_it_counts():
    """Prometheus sees no increase from nothing to the first value."""
    page = prometheus_client.generate_latest().decode()
    for rule in rules("alerts.yml"):
        for name in re.findall(r"increase\((recsvc_\w+)", rule["expr"]):
            assert name in SET_WHEN_SERVING or re.search(rf"^{name}[ {{]", page, re.MULTILINE), name
    entered = set(re.findall(r'^recsvc_conditions_total{condition="(\w+)"}', page, re.MULTILINE))
    assert entered == set(Rung)


def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    cases = [case for name in TESTS for test in read(name)["tests"] for case in test["alert_rule_test"]]
    outcomes: dict[str, set[bool]] = {}
    for case in cases:
        outcomes.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert outcomes == {rule["alert"]: {True, False} for rule in rules("alerts.yml")}


def test_each_prometheus_loads_the_rules_and_says_where_the_runbook_is():
    for name in ("prometheus.yml", "../prometheus.yml"):
        settings = read(name)
        assert [Path(file).name for file in settings["rule_files"]] == ["slo.yml", "alerts.yml"]
        assert settings["global"]["external_labels"]["runbooks"].endswith("/ALERTS.md")
        assert "recsvc" in [job["job_name"] for job in settings["scrape_configs"]]  # which alerts name


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "config", "../prometheus.yml"),
        ("check", "rules", "slo.yml", "alerts.yml"),
        ("test", "rules", *TESTS),
    ],
    ids=" ".join,
)
def test_promtool_takes_the_files_and_their_cases_hold(arguments):
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_promtool_finds_nothing_against_the_conventions_in_the_metrics():
    page = prometheus_client.generate_latest()
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
