"""A Redis and its replica, and an address for each server that can be led from one to the other."""

import subprocess
import time
from pathlib import Path

import redis

from recsvc.store.embedded import redis_server_binary
from tests.conftest import wait_for_redis
from tests.recsvc.store.free_ports import free_ports

SYNC_SECONDS = 30
NOWHERE = 1  # a port on which nothing listens


class RedisNode:
    """A redis-server that keeps nothing on disk: it comes back empty."""

    def __init__(self, folder: Path, master_port: int | None = None) -> None:
        self.folder = folder
        folder.mkdir()
        self.socket = folder / "redis.sock"
        (self.port,) = free_ports(1)
        self.start(master_port)

    def start(self, master_port: int | None = None) -> None:
        following = ("--replicaof", "127.0.0.1", str(master_port)) if master_port else ()
        self._process = subprocess.Popen(
            [
                *(redis_server_binary(), "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--unixsocket", str(self.socket), "--dir", str(self.folder), "--save", "", "--appendonly", "no"),
                *following,
            ],
            stdout=subprocess.DEVNULL,
        )
        self.client = redis.Redis(unix_socket_path=str(self.socket))
        wait_for_redis(redis.Redis(unix_socket_path=str(self.socket)))

    def kill(self) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()


class RedisPair:
    """A master and a replica of it. Server `n` reaches the master through a link of its own, `url(n)`.

    A name or a virtual address does the same in a shop: after a failover it leads to the new master.

    Args:
        folder: For the sockets; its path must be short.
        servers: How many addresses there are.
    """

    def __init__(self, folder: Path, servers: int) -> None:
        self._folder = folder
        self._made = 0
        self._links = [folder / f"link-{number}" for number in range(servers)]
        self.master = self._node()
        self.replica = self._node(self.master.port)
        self.behind = False
        for link in self._links:
            self._lead(link)

    def url(self, server: int) -> str:
        return f"unix://{self._links[server]}"

    def stop_following(self) -> None:
        """From now on the replica misses what the master is told."""
        deadline = time.monotonic() + SYNC_SECONDS
        while not self._in_step():
            assert time.monotonic() < deadline, "the replica does not follow its master"
            time.sleep(0.02)
        # It stays a replica and takes no writes: a server with open connections to it would write apart from others.
        self.replica.client.execute_command("REPLICAOF", "127.0.0.1", NOWHERE)
        self.behind = True

    def follow_again(self) -> None:
        """The replica takes over all that the master has."""
        self.replica.client.execute_command("REPLICAOF", "127.0.0.1", self.master.port)
        self.behind = False

    def fail_over(self, *, demote: bool) -> None:
        """The replica becomes the master. No server reaches it before `reconnect`.

        Args:
            demote: The old master lives on as a replica, and keeps its connections; else it is killed.
        """
        if not self.behind:
            self.stop_following()
        old, self.master = self.master, self.replica
        self.master.client.execute_command("REPLICAOF", "NO", "ONE")
        for link in self._links:
            link.unlink()
        if demote:
            old.client.execute_command("REPLICAOF", "127.0.0.1", self.master.port)
            self.replica = old
        else:
            old.kill()
            self.replica = self._node(self.master.port)
        self.behind = False

    def reconnect(self, server: int) -> None:
        """Leads a server's address to the master."""
        self._lead(self._links[server])

    def empty(self) -> None:
        """The master is killed and comes back without any key, and so does its replica."""
        self.master.kill()
        if self.behind:
            self.follow_again()
        self.master.start()

    def close(self) -> None:
        self.replica.kill()
        self.master.kill()

    def _in_step(self) -> bool:
        of_replica = self.replica.client.info("replication")
        of_master = self.master.client.info("replication")
        return (
            of_replica.get("master_link_status") == "up"
            and of_replica["master_repl_offset"] == of_master["master_repl_offset"]
        )

    def _node(self, master_port: int | None = None) -> RedisNode:
        self._made += 1
        return RedisNode(self._folder / f"redis-{self._made}", master_port)

    def _lead(self, link: Path) -> None:
        part = link.with_suffix(".part")
        part.symlink_to(self.master.socket)
        part.replace(link)
