"""The port that workers share, before there are any."""

import socket

import pytest

from recsvc.errors import SettingsError
from recsvc.runtime.reserved_port import reserved_port


def listener(port=0, *, shared=False, host="127.0.0.1"):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        sock.bind((host, port))
        sock.listen(8)
    except OSError:
        sock.close()
        raise
    return sock


def test_port_0_becomes_a_number_on_which_several_can_listen():
    with reserved_port("127.0.0.1", 0, shared=False) as port, listener(port, shared=True), listener(port, shared=True):
        assert port > 0
        socket.create_connection(("127.0.0.1", port), 1).close()


def test_a_reserved_port_is_refused_to_whoever_does_not_share_it():
    with reserved_port("127.0.0.1", 0, shared=False) as port, pytest.raises(OSError, match="in use"):
        listener(port)


def test_a_reserved_port_gets_no_connection_before_somebody_listens():
    with reserved_port("127.0.0.1", 0, shared=False) as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_on_which_somebody_listens_is_a_settings_error(shared):
    with listener(shared=shared) as taken:
        port = taken.getsockname()[1]
        expected = pytest.raises(SettingsError, match=f"port: cannot listen on 127.0.0.1:{port}; is it in use")
        with expected, reserved_port("127.0.0.1", port, shared=False):
            pass


def test_a_port_that_another_supervisor_has_reserved_is_a_settings_error():
    refused = pytest.raises(SettingsError, match="is it in use")
    with (
        reserved_port("127.0.0.1", 0, shared=False) as port,
        refused,
        reserved_port("127.0.0.1", port, shared=False),
    ):
        pass


def test_a_port_that_is_meant_to_be_shared_can_be_in_use():
    with listener(shared=True) as other, reserved_port("127.0.0.1", other.getsockname()[1], shared=True) as port:
        assert port == other.getsockname()[1]


def test_a_port_can_be_reserved_just_after_connections_of_another_process_ended():
    with listener() as before:
        port = before.getsockname()[1]
        caller = socket.create_connection(("127.0.0.1", port))
        accepted, _ = before.accept()
        accepted.close()  # the side that closes first remembers the connection for a minute
        caller.close()
    with reserved_port("127.0.0.1", port, shared=False) as reserved:
        assert reserved == port


def test_a_name_with_several_addresses_is_reserved_at_one_number():
    with reserved_port("localhost", 0, shared=False) as port, pytest.raises(OSError, match="in use"):
        listener(port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_a_host_that_is_not_of_this_machine_is_a_settings_error(host):
    with pytest.raises(SettingsError, match="port: cannot listen on"), reserved_port(host, 0, shared=False):
        pass
