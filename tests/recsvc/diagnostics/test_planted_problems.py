"""`recsvc doctor` finds each of these misconfigurations, planted for real, names the remedy, and nothing else."""

import json
import resource
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from recsvc.diagnostics.access_checks import Warned
from recsvc.diagnostics.doctor import examine
from recsvc.diagnostics.machine_checks import check_memory, check_workers
from recsvc.errors import SettingsError
from recsvc.model import bundle_files
from recsvc.settings import Settings, load_settings
from recsvc.store import keys
from recsvc.store.permissions import acl_rules
from tests.conftest import RedisServer
from tests.recsvc.stored_bundle import STORED_BUNDLE, save_variant

Flags = dict[str, object]


@dataclass(frozen=True)
class Site:
    """Where problems are planted. ends: undoes what a Redis that is thrown away does not undo."""

    folder: Path
    server: RedisServer
    raw: redis.Redis
    ends: ExitStack


@pytest.fixture
def site(redis_server: RedisServer, tmp_path: Path) -> Iterator[Site]:
    with redis.Redis(unix_socket_path=str(redis_server.socket)) as raw, ExitStack() as ends:
        yield Site(tmp_path, redis_server, raw, ends)


def configured(**values: str) -> Callable[[Site], Flags]:
    def plant(site: Site) -> Flags:
        for name, value in values.items():
            site.raw.config_set(name.replace("_", "-"), value)
        return {}

    return plant


def with_acl(namespace: str, *further: str) -> Callable[[Site], Flags]:
    def plant(site: Site) -> Flags:
        site.raw.execute_command("ACL", "SETUSER", "clerk", "on", ">s3cret", *acl_rules(namespace).split(), *further)
        return {"redis_url": f"unix://clerk:s3cret@{site.server.socket}"}

    return plant


def newer_schema(site: Site) -> Flags:
    site.raw.set(keys.schema("recsvc"), "2")
    return {}


def wrong_password(site: Site) -> Flags:
    site.raw.config_set("requirepass", "s3cret")
    return {"redis_url": f"unix://:hunter2@{site.server.socket}"}


def replica(site: Site) -> Flags:
    site.raw.execute_command("REPLICAOF", "127.0.0.1", "1")
    return {}


def redis_cannot_save(site: Site) -> Flags:
    folder = site.folder / "gone"
    folder.mkdir()
    site.raw.config_set("dir", str(folder))
    shutil.rmtree(folder)
    site.raw.bgsave()
    while site.raw.info("persistence")["rdb_bgsave_in_progress"]:
        time.sleep(0.005)
    return {}


def clock_skew(site: Site) -> Flags:
    patch = site.ends.enter_context(pytest.MonkeyPatch.context())
    now = time.time
    patch.setattr("recsvc.store.inspection.time.time", lambda: now() + 30)
    return {}


def old_redis(site: Site) -> Flags:
    """Redis behind a proxy that changes the version which it tells."""

    class Proxy(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as upstream:
                upstream.connect(str(site.server.socket))
                while words := self.request.recv(100_000):
                    upstream.sendall(words)
                    answer = upstream.recv(1_000_000)
                    self.request.sendall(answer.replace(b"redis_version:6.2.", b"redis_version:5.0."))

    path = site.server.folder / "proxy.sock"
    proxy = site.ends.enter_context(socketserver.ThreadingUnixStreamServer(str(path), Proxy))
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    site.ends.callback(proxy.shutdown)
    return {"redis_url": f"unix://{path}"}


def few_file_descriptors(site: Site) -> Flags:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    site.ends.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, limits[1]))
    return {}


def port_in_use(site: Site) -> Flags:
    listener = site.ends.enter_context(socket.create_server(("127.0.0.1", 0)))
    return {"port": listener.getsockname()[1]}


def other_encoder(site: Site) -> Flags:
    save_variant(site.folder / "foreign", text_encoder="multilingual", text_encoder_fingerprint="0" * 64)
    return {"bundle": site.folder / "foreign", "text_encoder": "embedded"}


def other_format(site: Site) -> Flags:
    copy = shutil.copytree(STORED_BUNDLE, site.folder / "bundle")
    manifest = json.loads((copy / bundle_files.MANIFEST).read_text())
    bundle_files.write_manifest(copy, manifest | {"format_version": 99})
    return {"bundle": copy}


def altered_bundle(site: Site) -> Flags:
    copy = shutil.copytree(STORED_BUNDLE, site.folder / "bundle")
    (copy / bundle_files.ITEMS).write_bytes((copy / bundle_files.ITEMS).read_bytes()[:-1])
    return {"bundle": copy}


def unknown_bundle_in_placements(site: Site) -> Flags:
    file = site.folder / "placements.toml"
    file.write_text('[placements.home]\nbundle_id = "0123456789abcdef"\n')
    return {"placements": file}


PLANTED: dict[str, tuple[Callable[[Site], Flags], str, str]] = {
    "evicting Redis": (configured(maxmemory_policy="volatile-lru"), "redis memory", "to noeviction"),
    "full Redis": (configured(maxmemory="1"), "redis memory", "raise maxmemory"),
    "persistence off": (configured(appendonly="no"), "redis files", "set appendonly to yes"),
    "disk of Redis full": (redis_cannot_save, "redis files", "make room on its disk"),
    "replica": (replica, "redis", "name the master"),
    "old Redis": (old_redis, "redis", "install 6.2 or later"),
    "wrong password": (wrong_password, "redis", "correct redis_url"),
    "missing ACL command": (with_acl("recsvc", "-xtrim"), "redis permissions", "xtrim: take the rules"),
    "missing ACL commands": (with_acl("recsvc", "-info", "-eval"), "redis permissions", "eval, info"),
    "ACL of another namespace": (with_acl("other"), "redis permissions", "add ~{recsvc:*"),
    "newer schema": (newer_schema, "redis schema", "install the version that wrote it"),
    "durability of a disk that is not synced": (
        lambda site: {"durability": "fsync", "redis_url": f"unix://{site.server.socket}"},
        "redis durability",
        "appendfsync to always in its configuration",
    ),
    "durability that the ACL hides": (lambda _: {"durability": "fsync"}, "redis durability", "+config|get"),
    "durability of replicas that are not there": (
        lambda _: {"durability": "replicas:1"},
        "redis durability",
        "start its replicas, or set durability to redis",
    ),
    "clock skew": (clock_skew, "redis clock", "30 s behind the clock of this machine: let both be set by NTP"),
    "few file descriptors": (few_file_descriptors, "file descriptors", "raise the limit to 1,024"),
    "port in use": (port_in_use, "port", "stop the other process"),
    "wrong encoder": (other_encoder, "text encoder", "set text_encoder to auto"),
    "bundle of another format": (other_format, "bundle", "format 99; this recsvc reads"),
    "altered bundle": (altered_bundle, "bundle", "copy the bundle again"),
    "placements of unknown bundles": (unknown_bundle_in_placements, "placements", "copy it there"),
}


def problems(flags: Flags) -> list[str]:
    lines: list[str] = []
    examine(flags, lines.append)
    return [line for line in lines if line.startswith("PROBLEM")]


@pytest.mark.parametrize("problem", PLANTED)
def test_planted_problem_is_named_with_its_remedy(
    problem: str, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RECSVC_BUNDLE", "RECSVC_REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    flags: Flags = {"bundle": STORED_BUNDLE, "port": 0, "metrics_port": 0, "store_timeout": 5}
    flags |= {"redis_url": site.server.url, "data_dir": tmp_path / "data"}
    assert problems(flags) == []
    plant, check, remedy = PLANTED[problem]
    flags |= plant(site)
    [line] = problems(flags)
    assert line.startswith(f"PROBLEM  {check}: ")
    assert remedy in line
    assert "hunter2" not in line
    assert "s3cret" not in line


@pytest.mark.parametrize(("name", "limit"), [("memory.max", "100000000\n"), ("memory/memory.limit_in_bytes", "9\n")])
def test_memory_of_a_container_below_the_need_is_named_with_its_remedy(tmp_path: Path, name: str, limit: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(limit)
    with pytest.raises(SettingsError, match="raise its limit"):
        check_memory(load_settings({"bundle": STORED_BUNDLE}, Settings), tmp_path)


@pytest.mark.parametrize("limit", ["max\n", "9223372036854771712\n"])
def test_memory_without_a_limit_is_no_problem(tmp_path: Path, limit: str) -> None:
    (tmp_path / "memory.max").write_text(limit)
    assert check_memory(load_settings({"bundle": STORED_BUNDLE}, Settings), tmp_path) == "no limit is set"


def test_memory_of_a_container_is_needed_for_each_worker(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{900 * 1024**2}\n")
    check_memory(load_settings({"bundle": STORED_BUNDLE}, Settings), tmp_path)
    with pytest.raises(SettingsError, match="raise its limit"):
        check_memory(load_settings({"bundle": STORED_BUNDLE, "workers": 2}, Settings), tmp_path)


@pytest.mark.parametrize(("workers", "threads", "quota"), [(129, 1, "max"), (2, 1, "150000"), (1, 2, "100000")])
def test_more_threads_than_cores_are_a_warning(tmp_path: Path, workers: int, threads: int, quota: str) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota} 100000\n")
    settings = Settings.model_construct(workers=workers, search_threads=threads)
    assert isinstance(check_workers(settings, tmp_path), Warned)


@pytest.mark.parametrize("quota", ["max", "50000"])  # of half a core, too
def test_one_worker_is_never_too_many(tmp_path: Path, quota: str) -> None:
    (tmp_path / "cpu.max").write_text(f"{quota} 100000\n")
    assert not isinstance(check_workers(load_settings({"bundle": STORED_BUNDLE}, Settings), tmp_path), Warned)


def test_redis_that_is_nearly_full_is_a_warning(site: Site) -> None:
    site.raw.setrange("of others", 10_000_000, "x")
    site.raw.config_set("maxmemory", int(site.raw.info("memory")["used_memory"] * 1.05))
    lines: list[str] = []
    flags = {"bundle": STORED_BUNDLE, "port": 0, "metrics_port": -1, "redis_url": site.server.url, "store_timeout": 5}
    assert examine(flags, lines.append)
    [line] = [line for line in lines if line.startswith("WARNING")]
    assert "raise maxmemory" in line


def test_full_disk_is_named_with_its_remedy(tmp_path: Path) -> None:
    check = (
        "from recsvc.diagnostics.machine_checks import check_data_folder\n"
        "from recsvc.settings import Settings\n"
        "import sys\n"
        "print(check_data_folder(Settings(bundle='b', data_dir=sys.argv[1])))\n"
    )
    script = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(tmp_path), sys.executable, "-c", check, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip("this machine lets no user make a small file system")
    assert "1.0 MB free, less than 256: make room on its disk" in done.stderr
