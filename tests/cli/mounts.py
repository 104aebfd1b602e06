"""A mount namespace, in which a test mounts folders without an effect on others."""
import shutil
import subprocess

from program import Skip

NAMESPACE = ["unshare", "--mount", "--propagation", "private"]


def can_mount(*mount):
    """True if `mount`, a command, succeeds in a namespace of its own."""
    return bool(shutil.which("unshare")) and subprocess.run([*NAMESPACE, *mount], stderr=subprocess.DEVNULL,
                                                            check=False).returncode == 0


def require_mount(*mount):
    if not can_mount(*mount):
        raise Skip("mounting needs root and, in a container, permission to mount")
