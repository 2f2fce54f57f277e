"""The audit log of a real server: one line for each audited call, whatever its outcome."""

from recsvc.access.scopes import Scope
from recsvc.service import METHODS
from tests.recsvc.access.credentials import Certified, KeysFile
from tests.recsvc.service.edge import FixedAnswers
from tests.recsvc.service.request_tables import GOOD_REQUESTS
from tests.recsvc.service.secured_edge import all_methods, bearer, code_of_call, raw_call, secured_edge


async def test_the_audit_log_has_one_line_for_each_audited_call_and_no_user(tmp_path):
    certified, keys = Certified(tmp_path / "tls"), KeysFile(tmp_path / "keys.toml")
    key, reader = keys.add("everything", Scope), keys.add("reader", [Scope.RECOMMEND])
    path, answers = tmp_path / "audit.jsonl", FixedAnswers()
    async with (
        secured_edge(answers, certified, keys_file=keys.path, audit_log=path) as edge,
        edge.channel() as channel,
    ):
        for name, _, stream in all_methods():
            request = GOOD_REQUESTS[name.removeprefix("/recsvc.v1.")].SerializeToString()
            await raw_call(channel, name, request, bearer(key), is_stream=stream)
        answers.error = RuntimeError("boom")
        delete = "/recsvc.v1.UserService/DeleteUser"
        await code_of_call(channel, delete, GOOD_REQUESTS["UserService/DeleteUser"].SerializeToString(), bearer(key))
        await code_of_call(channel, delete, b"", bearer(reader))
        await code_of_call(channel, delete, b"", [])
        await code_of_call(channel, delete, b"\xff", bearer(key))
    lines = path.read_text().splitlines()
    assert all(line.startswith('{"time": "') for line in lines)
    ends = [line.partition('"caller": ')[2] for line in lines]
    audited = [name for name, access in METHODS.items() if access.audited]
    expected = [f'"everything", "method": "{name}", "outcome": "OK"}}' for name in audited]
    expected += [
        f'"{caller}", "method": "{delete}", "outcome": "{outcome}"}}'
        for caller, outcome in (
            ("everything", "INTERNAL"),
            ("reader", "PERMISSION_DENIED"),
            ("", "UNAUTHENTICATED"),
            ("everything", "INVALID_ARGUMENT"),
        )
    ]
    assert sorted(ends) == sorted(expected)
    changing = {"WriteEvents", "SetProfile", "DeleteUser", "UpsertItems", "ActivateBundle", "TurnOff", "ExportUser"}
    assert changing <= {name.rpartition("/")[2] for name in audited}
