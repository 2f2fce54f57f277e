"""What a newcomer can type next. Every command works as it is printed."""

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
    """After the tour."""
    console.print()
    console.rule("[bold]What to try next", align="left")
    for command, what in (
        ("make serve", "leave the service running and call it yourself"),
        ("make storefront", "the shop in a browser"),
        ("make train DATA=my-shop", "train on your own tables; training/README.md says what they hold"),
        (
            f"{_python()} -m webbrowser {BUNDLE / 'report.html'}",
            "how good the model is, with plots; any browser opens it",
        ),
        (f"rm -r {FOLDER}", "start over"),
    ):
        console.print(f"\n  [bold]{command}[/]\n  [dim]{what}[/]", soft_wrap=True, highlight=False)


def print_commands(target: str, user_id: str, console: Console) -> None:
    """Calls to the service that is running at `target`."""
    script = "; ".join(_PYTHON.format(target=target, user_id=user_id).splitlines())
    body = shlex.quote(json.dumps({"user_id": user_id, "k": 3, "context": {"language": "zh"}}))
    for what, command in (
        ("From Python, with the stubs that come with recsvc:", f"{_python()} -c {shlex.quote(script)}"),
        (
            "From a shell, by reflection, with buf (reasons in Chinese):",
            f"buf curl --protocol grpc --http2-prior-knowledge -d {body} http://{target}/{_METHOD}",
        ),
        ("or with grpcurl:", f"grpcurl -plaintext -d {body} {target} {_METHOD}"),
    ):
        console.print(f"\n[bold]{what}[/]")
        # Never wrapped: what is copied has to be one line.
        console.print(command, soft_wrap=True, markup=False, highlight=False)


def _python() -> str:
    """The interpreter as one would type it here."""
    interpreter = Path(sys.executable)
    return str(interpreter.relative_to(Path.cwd()) if interpreter.is_relative_to(Path.cwd()) else interpreter)
