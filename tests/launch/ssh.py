"""A real sshd on each of Hosts, with its own keys. It does not read or change the ssh of this machine.

    agent = start_sshd(hosts, folder)        # raises Skip if this machine has no sshd
    hosts.start(..., environment={"OMPI_MCA_plm_rsh_agent": agent})
"""
import pathlib
import shutil
import subprocess

from program import Skip

SERVER = """HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
"""
CLIENT = """IdentityFile {folder}/user_key
IdentitiesOnly yes
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
GlobalKnownHostsFile /dev/null
LogLevel ERROR
"""


def start_sshd(hosts, folder):
    """The agent for mpirun: ssh with these keys."""
    server = shutil.which("sshd") or "/usr/sbin/sshd"
    if not pathlib.Path(server).exists() or not shutil.which("ssh"):
        raise Skip("ssh and sshd are needed (openssh-server)")
    for name, text in [("sshd_config", SERVER), ("ssh_config", CLIENT)]:
        (folder / name).write_text(text.format(folder=folder))
    for key in ["host_key", "user_key"]:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    for host in hosts.names:
        hosts.run_on(host, "mount", "-t", "tmpfs", "tmpfs", "/run")
        hosts.run_on(host, "mkdir", "/run/sshd")
        hosts.run_on(host, server, "-f", folder / "sshd_config", "-E", folder / f"{host}.log")
    return f"ssh -F {folder / 'ssh_config'}"
