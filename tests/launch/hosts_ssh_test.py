"""launch/hosts/check and mpirun over real ssh: healthy hosts, and a host without a network.

usage: hosts_ssh_test.py TRAIN REPOSITORY; exit code 77 (skipped) without sshd, or if hosts cannot be made.
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from four_hosts import FourHosts
from hosts import Hosts
from program import Checks, run_test
from ssh import start_sshd


def main():
    checks = Checks()
    train, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder, Hosts(4) as hosts:
        settings = {"environment": {"OMPI_MCA_plm_rsh_agent": start_sshd(hosts, pathlib.Path(folder))}}
        four = FourHosts(hosts, pathlib.Path(folder), train, repository, checks)
        four.expect_healthy(**settings)
        four.expect_same_training(**settings)
        hosts.cut_cable("h2")
        four.expect_fault("a host without a network", "h2", ["cannot be reached: ", "ssh h2 true"], "--timeout", 10,
                          **settings)
    checks.finish()


run_test(main)
