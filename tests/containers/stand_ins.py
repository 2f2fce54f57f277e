"""The public images that the product names: pulled where that is possible, and else made here from packages.

A stand-in has the program, the user and the folders of its image, and is no part of the product. Each is made in the
test's own store, under the name of the image, so that Dockerfiles and compose.yaml are used as they stand.
"""

import re
import shutil
import subprocess
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # no stubs

from tests.containers.engine import BUILD_SECONDS, Engine, pip_settings

PULL_SECONDS = 300
FOLDER = Path(__file__).parent / "images"
DOCKERFILES = (Path("deploy/Dockerfile"), Path("deploy/Dockerfile.train"))
COMPOSE = Path("compose.yaml")
_FROM = re.compile(r"^FROM (docker\.io/\S+)", re.MULTILINE)
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def public_images() -> dict[str, str]:
    """The images by the name of their stand-in: python, redis, envoy and prometheus."""
    [python] = {name for file in DOCKERFILES for name in _FROM.findall(file.read_text("utf-8"))}
    services = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return {"python": python} | {name: services[name]["image"] for name in ("redis", "envoy", "prometheus")}


def bring(engine: Engine, folder: Path) -> list[str]:
    """Pulls or makes every public image. Returns the names of those that are stand-ins."""
    images = public_images()
    missing = {kind: name for kind, name in images.items() if not engine.has_image(name) and not _pull(engine, name)}
    for kind in missing:
        _make(engine, kind, images, folder)
    return [name for name in images.values() if _is_stand_in(engine, name)]


def _pull(engine: Engine, name: str) -> bool:
    engine.run("pull", "--quiet", name, seconds=PULL_SECONDS, check=False)
    return engine.has_image(name)


def _make(engine: Engine, kind: str, images: dict[str, str], folder: Path) -> None:
    context = folder / kind
    context.mkdir(parents=True, exist_ok=True)
    if kind == "python":
        command = ["mmdebstrap", "--variant=minbase", "--include=python3-venv,python3-pip,ca-certificates", "bookworm"]
        subprocess.run([*command, context / "debian.tar"], check=True, capture_output=True, timeout=BUILD_SECONDS)
        shutil.copy(_CERTIFICATES, context / "certificates.crt")
        lines = [f"{option} = {value}" for option, value in pip_settings().items()]
        (context / "pip.conf").write_text("\n".join(["[global]", *lines, ""]).replace("\\n", " "))
    file = FOLDER / f"{kind}.Containerfile"
    arguments = ("--build-arg", f"PYTHON={images['python']}") if kind != "python" else ()
    engine.build(context, file, images[kind], "--label", "recsvc.stand-in=true", *arguments)
    shutil.rmtree(context)


def _is_stand_in(engine: Engine, name: str) -> bool:
    return bool((engine.inspect("image", name).get("Labels") or {}).get("recsvc.stand-in"))
