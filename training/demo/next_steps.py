"""Prints commands to try next. Every command works as it is printed."""

import json
import shlex
import sys
from pathlib import Path

from rich.console import Console

from training.demo.shop import BUNDLE, FOLDER

_METHOD = "recsvc.v1.RecommendationService/Recommend"
_PYTHON = """import grpc
from recsvc.v1.recommendation_pb2 import RecommendRequest
from recsvc.v1.recommendation_pb2_grpc import RecommendationServiceStub
service = RecommendationServiceStub(grpc.insecure_channel("{target}"))
print(service.Recommend(RecommendRequest(user_id="{user_id}", k=3)))"""


def print_next_steps(console: Console) -> None:
    """Prints what to try after the tour."""
    console.print()
    console.rule("[bold]What to try next", align="left")
    for command, purpose in (
        ("make serve", "keeps the service running, so you can call it yourself"),
        ("make storefront", "opens the shop in a browser"),
        ("make train DATA=my-shop", "trains on your own tables, in the format of training/README.md"),
        (
            f"{_python()} -m webbrowser {BUNDLE / 'report.html'}",
            "opens the report of the model, with plots",
        ),
        (f"rm -r {FOLDER}", "deletes everything, to start again"),
    ):
        console.print(f"\n  [bold]{command}[/]\n  [dim]{purpose}[/]", soft_wrap=True, highlight=False)


def print_commands(target: str, user_id: str, console: Console) -> None:
    """Prints commands that call the service running at `target`."""
    script = "; ".join(_PYTHON.format(target=target, user_id=user_id).splitlines())
    body = shlex.quote(json.dumps({"user_id": user_id, "k": 3, "context": {"language": "zh"}}))
    for title, command in (
        ("From Python, with the stubs of recsvc:", f"{_python()} -c {shlex.quote(script)}"),
        (
            "From a shell with buf, which learns the API by reflection (reasons in Chinese):",
            f"buf curl --protocol grpc --http2-prior-knowledge -d {body} http://{target}/{_METHOD}",
        ),
        ("From a shell with grpcurl:", f"grpcurl -plaintext -d {body} {target} {_METHOD}"),
    ):
        console.print(f"\n[bold]{title}[/]")
        # Never wrapped, so that it can be copied as one line.
        console.print(command, soft_wrap=True, markup=False, highlight=False)


def _python() -> str:
    """The path of the Python interpreter, relative to the current folder if possible."""
    interpreter = Path(sys.executable)
    return str(interpreter.relative_to(Path.cwd()) if interpreter.is_relative_to(Path.cwd()) else interpreter)
