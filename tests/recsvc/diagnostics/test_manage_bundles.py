"""`recsvc bundles` against a real service with two bundles."""

from dataclasses import replace
from pathlib import Path

import pytest

from recsvc.__main__ import main
from recsvc.model import bundle_files
from tests.service_process import ServiceProcess


@pytest.fixture
def ids(small_bundle: Path, tmp_path: Path) -> list[str]:
    """Two bundles in a folder, the older one first."""
    bundle, ids = bundle_files.load(small_bundle), []
    for number, metrics in enumerate(({}, {"ndcg@10": {"mean": 0.25}})):
        model = replace(bundle.model, similar_from=bundle.model.similar_from - number / 100)
        about = {"created": f"2026-0{number + 1}-01T00:00:00+00:00", "evaluation": metrics}
        ids.append(bundle_files.save(replace(bundle, model=model, provenance=about), tmp_path / "part"))
        (tmp_path / "bundles").mkdir(exist_ok=True)
        (tmp_path / "part").rename(tmp_path / "bundles" / ids[-1])
    return ids


@pytest.fixture
def service(start_service, ids, tmp_path) -> ServiceProcess:
    return start_service(tmp_path / "bundles" / ids[0])


def run(service: ServiceProcess, *arguments: str) -> int:
    return main(["bundles", *arguments, "--target", service.address])


def test_bundles_are_listed_changed_and_changed_back_as_the_service_says(service, ids, capsys):
    old, new = ids
    assert run(service) == 0
    newest, oldest, process = capsys.readouterr().out.splitlines()
    assert newest == f"bundle  {new}  trained 2026-02-01 00:00 UTC  ndcg@10 0.2500"
    assert oldest == f"bundle  {old}  trained 2026-01-01 00:00 UTC  not measured"
    assert process.startswith("process ")
    assert process.endswith(f"answers with {old}")
    assert run(service, "--load", new) == 0
    assert capsys.readouterr().out.splitlines()[2].endswith(f"answers with {old}  in memory: {new}")
    assert run(service, "--activate", new) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("active")
    assert run(service, "--roll-back") == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("active")


def test_a_change_that_the_service_refuses_is_one_sentence_and_exit_2(service, capsys):
    assert run(service, "--activate", "0" * 16) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"recsvc: the service at {service.address} did not do it: NOT_FOUND: ")
    assert error.count("\n") == 1


def test_two_changes_at_once_are_refused_before_the_service_is_asked(capsys):
    assert main(["bundles", "--roll-back", "--load", "0" * 16, "--target", "127.0.0.1:1"]) == 2
    assert "give one of them" in capsys.readouterr().err
