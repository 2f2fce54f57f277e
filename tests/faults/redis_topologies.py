"""Redis with replicas that take over: under Sentinels, or as a Cluster. All servers listen on loopback."""

import atexit
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import redis

from tests.conftest import RULES, USER
from tests.recsvc.access.credentials import Certified
from tests.recsvc.store.free_ports import free_ports

HOST = "127.0.0.1"
SERVICE = "shop"
SENTINELS = 3
DOWN_MILLISECONDS = 1_000
FORM_SECONDS = 30
SLOTS = 16_384
_AUTHORITY = f"{USER}:any"


class Server:
    """One redis-server or Sentinel, with the permissions of deploy/redis/users.acl for `USER`.

    Args:
        folder: For its data.
        port: With TLS if `certified` is not None.
        certified: Its certificate, and the authority that clients trust.
        arguments: More of its command line.
    """

    def __init__(self, folder: Path, port: int, certified: Certified | None, arguments: Sequence[str] = ()) -> None:
        folder.mkdir(exist_ok=True)
        self.port = port
        tls = ["--port", str(port)]
        self._client_options: dict[str, Any] = {"host": HOST, "port": port}
        if certified is not None:
            tls = ["--port", "0", "--tls-port", str(port), "--tls-replication", "yes", "--tls-auth-clients", "no"]
            tls += ["--tls-cert-file", str(certified.chain), "--tls-key-file", str(certified.key)]
            tls += ["--tls-ca-cert-file", str(certified.ca_file)]
            self._client_options |= {"ssl": True, "ssl_ca_certs": str(certified.ca_file)}
        self._process = subprocess.Popen(
            [str(shutil.which("redis-server")), *arguments, "--bind", HOST, *tls, "--dir", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        atexit.register(self._process.kill)  # a set of servers that does not form is not closed
        self.client = redis.Redis(**self._client_options)
        _wait(self._answers)

    def kill(self) -> None:
        """As kill -9."""
        self.client.close()
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False


_DATA = ("--appendonly", "yes", "--save", "", "--user", USER, *RULES)


class SentinelRedis:
    """A master, two replicas, and three Sentinels that watch them.

    Args:
        folder: For the data of all servers.
        has_tls: Whether all of them speak TLS alone.
    """

    def __init__(self, folder: Path, *, has_tls: bool = False) -> None:
        folder.mkdir()
        certified = Certified(folder / "certificates") if has_tls else None
        ports = free_ports(3 + SENTINELS)
        self._servers = {ports[0]: Server(folder / "0", ports[0], certified, _DATA)}
        for number, port in enumerate(ports[1:3], start=1):
            following = (*_DATA, "--replicaof", HOST, str(ports[0]))
            self._servers[port] = Server(folder / str(number), port, certified, following)
        self._sentinels: list[Server] = []
        for port in ports[3:]:
            config = folder / f"sentinel-{port}.conf"
            config.write_text(
                f"sentinel monitor {SERVICE} {HOST} {ports[0]} {SENTINELS // 2 + 1}\n"
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_MILLISECONDS}\n"
                f"sentinel failover-timeout {SERVICE} 5000\n"
            )
            self._sentinels.append(Server(folder / f"s{port}", port, certified, (str(config), "--sentinel")))
        _wait(self._is_watched)
        hosts = ",".join(f"{HOST}:{sentinel.port}" for sentinel in self._sentinels)
        query = f"?sentinel_tls=true&ssl_ca_certs={certified.ca_file}" if certified else ""
        self.url = f"redis{'s' if certified else ''}+sentinel://{_AUTHORITY}@{hosts}/{SERVICE}{query}"

    @property
    def client(self) -> redis.Redis:
        """Of the present master."""
        return self._master().client

    def kill_master(self) -> None:
        self._servers.pop(self._master().port).kill()

    def pause_master(self) -> None:
        self._master().pause()

    def fail_over(self) -> None:
        """A failover that a person asks for: nothing is broken, and the old master becomes a replica."""
        self._sentinels[0].client.execute_command("SENTINEL", "FAILOVER", SERVICE)

    def resume(self) -> None:
        for server in self._servers.values():
            server.resume()

    def close(self) -> None:
        for server in (*self._sentinels, *self._servers.values()):
            server.kill()

    def _master(self) -> Server:
        _, port = self._sentinels[0].client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return self._servers[int(port)]

    def _is_watched(self) -> bool:
        states: list[Any] = [sentinel.client.sentinel_master(SERVICE) for sentinel in self._sentinels]
        replicas = [server.client.info("replication") for server in list(self._servers.values())[1:]]
        return all(
            state["num-slaves"] == len(replicas) and state["num-other-sentinels"] == SENTINELS - 1 for state in states
        ) and all(replica["master_link_status"] == "up" for replica in replicas)


class ClusterRedis:
    """Three masters, each with a replica.

    Args:
        folder: For the data of all servers.
        has_tls: Whether all of them speak TLS alone.
    """

    def __init__(self, folder: Path, *, has_tls: bool = False) -> None:
        folder.mkdir()
        certified = Certified(folder / "certificates") if has_tls else None
        options = (*_DATA, "--cluster-enabled", "yes", "--cluster-node-timeout", str(DOWN_MILLISECONDS))
        options += ("--tls-cluster", "yes") if has_tls else ()
        ports = free_ports(6)
        self._nodes = [Server(folder / str(port), port, certified, options) for port in ports]
        for index, node in enumerate(self._nodes):
            node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", index + 1)
            node.client.execute_command("CLUSTER MEET", HOST, ports[0])
        masters, replicas = self._nodes[:3], self._nodes[3:]
        for index, node in enumerate(masters):
            node.client.execute_command("CLUSTER ADDSLOTS", *range(index * SLOTS // 3, (index + 1) * SLOTS // 3))
        names = [str(node.client.execute_command("CLUSTER MYID").decode()) for node in masters]
        for node, name in zip(replicas, names, strict=True):
            _wait(partial(_knows, node, name))
            node.client.execute_command("CLUSTER REPLICATE", name)
        _wait(lambda: all(map(_is_formed, self._nodes)))
        query = f"?ssl_ca_certs={certified.ca_file}" if certified else ""
        self.url = f"redis{'s' if certified else ''}+cluster://{_AUTHORITY}@{HOST}:{ports[0]}{query}"
        tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": str(certified.ca_file)} if certified else {}
        self.client = redis.RedisCluster(host=HOST, port=ports[0], **tls)

    def kill_master(self) -> None:
        """Kills one of the three masters."""
        self._nodes.pop(1).kill()

    def pause_master(self) -> None:
        self._nodes[1].pause()

    def resume(self) -> None:
        for node in self._nodes:
            node.resume()

    def close(self) -> None:
        self.client.close()
        for node in self._nodes:
            node.kill()


def _knows(node: Server, name: str) -> bool:
    return name in str(node.client.execute_command("CLUSTER NODES"))


def _is_formed(node: Server) -> bool:
    state, replication = node.client.execute_command("CLUSTER INFO"), node.client.info("replication")
    is_linked = replication["role"] == "master" or replication["master_link_status"] == "up"
    return state["cluster_state"] == "ok" and state["cluster_known_nodes"] == "6" and is_linked


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + FORM_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the servers of Redis do not form"
        time.sleep(0.05)
