"""The check of `recsvc doctor` on environment variables: a misspelt one is ignored in silence."""

import difflib
from collections.abc import Mapping

from recsvc.channel import ClientSettings
from recsvc.diagnostics.access_checks import Warned
from recsvc.settings import BackupSettings, Settings, WorkerSettings

_PREFIX = "RECSVC_"
_LIKENESS = 0.75
_KUBERNETES = ("_SERVICE_", "_PORT_")  # for a Service named recsvc it sets RECSVC_SERVICE_HOST and more
# Those of compose.yaml, and of tools beside the service.
_OTHERS = ("GRPC_PORT", "SHOP_PORT", "PROMETHEUS_PORT", "JUDGE_API_KEY")


def check_variables(environment: Mapping[str, str]) -> str:
    """Looks for variables that resemble a setting and are none."""
    fields = (kind.model_fields for kind in (Settings, WorkerSettings, BackupSettings, ClientSettings))
    settings = {f"{_PREFIX}{name.upper()}" for names in (*fields, _OTHERS) for name in names}
    unknown = sorted(name for name in environment if name.startswith(_PREFIX) and name not in settings)
    unknown = [name for name in unknown if not any(part in name for part in _KUBERNETES)]
    meant = {name: difflib.get_close_matches(name, settings, 1, _LIKENESS) for name in unknown}
    misspelt = [
        f"{name} is no setting and is ignored: did you mean {alike[0]}?" for name, alike in meant.items() if alike
    ]
    return Warned(" ".join(misspelt)) if misspelt else "none is misspelt"
