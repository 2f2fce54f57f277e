"""A worker's place: real processes, of a program that has a link and nothing else."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest

from recsvc.errors import SettingsError, WorkersFailing
from recsvc.runtime import worker_slot
from recsvc.runtime.worker_slot import WorkerSlot

# It serves until it is asked to stop, and has counted 3 lists then.
SERVES = """
import sys, threading
from recsvc.runtime.metrics import LISTS
from recsvc.runtime.worker_link import WorkerLink
LISTS.labels("cart").inc(3)
link, stopped = WorkerLink.of_flag(sys.argv[1]), threading.Event()
link.on_stop(lambda at_once: stopped.set())
link.say_serving({"bundle_id": "b", "pid": __import__("os").getpid()})
stopped.wait()
"""
UNUSABLE = """
import sys
from recsvc.runtime.worker_link import WorkerLink
WorkerLink.of_flag(sys.argv[1]).say_problem("port: is taken")
sys.exit(2)
"""


class Place:
    def __init__(self, program: str, *options: str, others_serve: bool = False) -> None:
        self.serving, self.ends = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.ended: list = []
        self.slot = WorkerSlot(
            7,
            command=lambda number, descriptor: [sys.executable, *options, "-c", program, f"{number}:{descriptor}"],
            environment=dict(os.environ),
            unusable_code=2,
            on_serving=self.serving.release,
            on_ended=self._end,
            others_serve=lambda: others_serve,
        )

    def _end(self, page) -> None:
        self.ended.append(page)
        self.ends.release()


@pytest.fixture(autouse=True)
def _short_backoff(monkeypatch):
    monkeypatch.setattr(worker_slot, "_FIRST_BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(worker_slot, "_LONGEST_BACKOFF_SECONDS", 0.002)


@asynccontextmanager
async def running(place):
    task = asyncio.create_task(place.slot.keep_running())
    async with asyncio.timeout(30):
        await place.serving.acquire()
        yield task
        place.slot.stop()
        await task


def lists_in(page) -> float:
    [family] = [family for family in page if family["name"] == "recsvc_lists"]
    return next(value for _, labels, value in family["samples"] if labels.get("surface") == "cart")


async def test_a_killed_worker_is_started_again_and_its_counts_are_handed_over():
    place = Place(SERVES)
    async with running(place):
        assert lists_in(await place.slot.read()) == 3
        first = place.slot.facts["pid"]
        os.kill(first, signal.SIGKILL)
        await place.serving.acquire()
        assert place.slot.facts["pid"] != first
        assert [lists_in(page) for page in place.ended] == [3]
    assert place.slot.facts is None


async def test_a_worker_that_does_not_answer_shows_what_it_had_counted(monkeypatch):
    monkeypatch.setattr(worker_slot, "_READ_SECONDS", 0.05)
    place = Place(SERVES)
    async with running(place):
        await place.slot.read()
        os.kill(place.slot.facts["pid"], signal.SIGSTOP)
        page = await place.slot.read()
        os.kill(place.slot.facts["pid"], signal.SIGCONT)
    assert lists_in(page) == 3
    assert not any(family["name"].startswith("process_") for family in page)


async def test_a_worker_that_cannot_use_its_settings_ends_with_its_own_words():
    with pytest.raises(SettingsError, match=r"^port: is taken$"):
        await Place(UNUSABLE).slot.keep_running()


async def test_a_worker_that_always_ends_before_it_serves_is_given_up():
    place = Place("raise SystemExit(7)", "-I", "-S")
    with pytest.raises(WorkersFailing, match="worker 7 ended 5 times in a row, the last time with code 7"):
        await place.slot.keep_running()
    assert len(place.ended) == 5


async def test_a_worker_that_always_ends_is_not_given_up_while_another_serves():
    place = Place("raise SystemExit(7)", "-I", "-S", others_serve=True)
    task = asyncio.create_task(place.slot.keep_running())
    async with asyncio.timeout(30):
        for _ in range(6):
            await place.ends.acquire()
    assert not task.done()
    place.slot.stop()
    await task


def test_a_worker_stops_when_its_supervisor_has_ended():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", SERVES, f"1:{theirs.fileno()}"]
        worker = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
        theirs.close()
        assert b"serving" in ours.recv(1_000)
    assert worker.wait(timeout=30) == 0
