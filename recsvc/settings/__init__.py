"""The settings of the commands: each with its unit, its default and the reason for it.

Only this room reads the environment. Every room above it may import it.
"""

from recsvc.settings.access import AccessSettings
from recsvc.settings.loading import CommonSettings, load_settings
from recsvc.settings.process import BackupSettings, Settings, WorkerSettings

__all__ = ["AccessSettings", "BackupSettings", "CommonSettings", "Settings", "WorkerSettings", "load_settings"]
