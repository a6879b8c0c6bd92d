"""The units under a real systemd: a machine of namespaces on a copy of this one's files, with a process 1 of its own.

Not among the tests that always run, for it needs root and a kernel that lets it: ``make boot``. Nothing of this machine is
changed: files go to memory, the network is a loopback of its own, and everything ends with the namespaces' first process.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlmodel

from monitor.service import clock

ROOT = Path(__file__).parents[2]
PYTHON = Path("/usr/bin/python3")

PROCESS_ONE = r"""
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$WORK"
mkdir "$WORK/up" "$WORK/work" "$WORK/root"
R="$WORK/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/up,workdir=$WORK/work" "$R"
mount -t proc proc "$R/proc"
mount -t sysfs -o ro sysfs "$R/sys"
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs tmpfs "$R/dev"
for device in null zero full random urandom tty; do touch "$R/dev/$device"; mount --bind "/dev/$device" "$R/dev/$device"; done
mkdir "$R/dev/pts" "$R/dev/shm"
mount -t devpts devpts -o newinstance,ptmxmode=0666 "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
mount -t tmpfs tmpfs "$R/dev/shm"
ln -s /proc/self/fd "$R/dev/fd"
mount -t tmpfs tmpfs "$R/run"
mount -t tmpfs tmpfs "$R/tmp"
mkdir -p "$R/opt/libraries" "$R/opt/source" "$R/usr/local/lib/bipn-monitor" "$R/oldroot"
mount --bind "$LIBRARIES" "$R/opt/libraries"
cp -r "$SOURCE/monitor" "$SOURCE/config" "$SOURCE/templates" "$SOURCE/systemd" "$R/opt/source/"
mkdir -p "$R/opt/source/monitor/_shipped"
cp -r "$SOURCE/config" "$SOURCE/templates" "$R/opt/source/monitor/_shipped/"
ip link set lo up
ip address add 192.0.2.25/32 dev lo
cd "$R"
pivot_root . oldroot
umount -l /oldroot
mount --make-rshared /
rm -f /etc/systemd/system/default.target
printf '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n' > /etc/systemd/system/boot.target
printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\nAfter=systemd-journald.service\n' \
    > /etc/systemd/system/sysinit.target
printf '[Unit]\nDefaultDependencies=no\nAfter=sysinit.target\n' > /etc/systemd/system/basic.target
"$PYTHON" -m venv --without-pip /opt/bipn-monitor
printf '/opt/source\n/opt/libraries\n' > "$(echo /opt/bipn-monitor/lib/python3*/site-packages)/bipn-monitor.pth"
printf '#!/opt/bipn-monitor/bin/python\nfrom monitor.cli import main\nmain()\n' > /opt/bipn-monitor/bin/bipn-monitor
chmod 0755 /opt/bipn-monitor/bin/bipn-monitor
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=other /lib/systemd/systemd --system --unit=boot.target --show-status=no
"""

INSTALL = r"""
cd /opt/source
install -m 0644 -D systemd/bipn-monitor.sysusers.conf /usr/lib/sysusers.d/bipn-monitor.conf
install -m 0644 -D systemd/bipn-monitor.tmpfiles.conf /usr/lib/tmpfiles.d/bipn-monitor.conf
systemd-sysusers && systemd-tmpfiles --create bipn-monitor.conf
install -m 0644 systemd/bipn-monitor.service systemd/bipn-monitor-failed@.service /etc/systemd/system/
install -m 0755 -D systemd/bipn-monitor-failed /usr/local/lib/bipn-monitor/bipn-monitor-failed
mkdir -p /etc/systemd/system/bipn-monitor.service.d /etc/systemd/system/bipn-monitor-failed@.service.d
cat > /etc/systemd/system/bipn-monitor.service.d/short.conf << END
[Unit]
StartLimitBurst=3
[Service]
RestartSec=1
WatchdogSec=20
END
sed -n '/^ExecStart=/p' systemd/bipn-monitor-failed@.service | sed 's/sleep 600/sleep 3/' \
    | sed '1s/^/[Service]\nExecStart=\n/' > /etc/systemd/system/bipn-monitor-failed@.service.d/short.conf
cat > /etc/bipn-monitor/monitor.yaml
chown root:bipn-monitor /etc/bipn-monitor/monitor.yaml && chmod 0640 /etc/bipn-monitor/monitor.yaml
printf 'of the test' | install -m 0600 /dev/stdin /etc/bipn-monitor/smtp_password
printf '#!/bin/sh\necho "$1" >> /run/bipn-monitor-failed/hook\n' > /etc/bipn-monitor/on-failure
chmod 0755 /etc/bipn-monitor/on-failure
systemctl daemon-reload
"""

CONFIG = """\
time_zone: Europe/Berlin
database: sqlite:////var/lib/bipn-monitor/bipn-monitor.db
guideline: us-label
poll_every: 2 s
operations: {address: it@hospital.example}
mail:
  sender: alerts@hospital.example
  relay: {host: 192.0.2.25, port: 2525, insecure: true, timeout: 5 s}
teams:
  day-clinic:
    sites: ["*"]
    recipients: [{name: Nurse, address: nurse@hospital.example}]
board: {port: 8480, address: "http://127.0.0.1:8480"}
"""


class Machine:
    """The other machine: ``run`` is a shell on it, as root."""

    def __init__(self, first: int) -> None:
        self._enter = ["nsenter", "-t", str(first), "-m", "-u", "-i", "-n", "-p", "-C", "env", "-i"]
        self._enter += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-e", "-o", "pipefail", "-c"]

    def run(self, script: str, *, given: str = "", code: int | None = 0) -> str:
        """A script to its end; what it printed."""
        ran = subprocess.run(
            [*self._enter, script], input=given, capture_output=True, text=True, timeout=120, cwd="/", check=False
        )
        assert code is None or ran.returncode == code, (script, ran)
        return ran.stdout.strip()

    def shown(self, name: str) -> str:
        """A property of the service."""
        return self.run(f"systemctl show -p {name} --value bipn-monitor")

    def logged(self, *match: str) -> list[dict[str, Any]]:
        """The service's entries of the journal, with their fields."""
        return [json.loads(line) for line in self.run(f"journalctl -u bipn-monitor -o json {' '.join(match)}").splitlines()]


def until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Installed as docs/operations.md says, and started; waits that people would find short are shorter."""
    for tool in ("unshare", "nsenter", "ip", "systemctl"):
        assert shutil.which(tool), f"{tool} is needed"
    assert os.geteuid() == 0, "needs root"
    work = tmp_path_factory.mktemp("machine")
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    group = Path(next(mount[1] for mount in mounts if mount[2] == "cgroup2")) / f"bipn-boot-{os.getpid()}"
    group.mkdir()
    given = {"WORK": str(work), "SOURCE": str(ROOT), "PYTHON": str(PYTHON), "LIBRARIES": str(Path(sqlmodel.__file__).parents[1])}
    join = f'echo 0 > "{group}/cgroup.procs"; exec unshare --mount --uts --ipc --net --pid --fork --cgroup bash -c "$1"'
    with (work.parent / "console").open("w", encoding="utf-8") as console:
        outside = subprocess.Popen(
            ["bash", "-c", join, "bash", PROCESS_ONE], env=os.environ | given, stdout=console, stderr=console
        )
    children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children")
    try:
        until(lambda: children.read_text(encoding="utf-8").strip())
        first = int(children.read_text(encoding="utf-8"))
        until(lambda: Path(f"/proc/{first}/comm").read_text(encoding="utf-8").strip() == "systemd")
        found = Machine(first)
        until(lambda: found.run("systemctl is-active systemd-journald", code=None) == "active")
        found.run(INSTALL, given=CONFIG)
        found.run("systemctl start bipn-monitor")
        yield found
    finally:
        for pid in children.read_text(encoding="utf-8").split():
            os.kill(int(pid), signal.SIGKILL)  # the first process of its namespace takes all others with it
        outside.wait(timeout=30)
        for folder in sorted(group.rglob("*/"), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        group.rmdir()


def test_given_the_steps_of_the_page_when_started_then_it_watches_as_its_user_and_says_so(machine: Machine) -> None:
    until(lambda: machine.shown("StatusText").startswith("evaluated to "))
    assert (machine.shown("ActiveState"), machine.shown("NRestarts")) == ("active", "0")
    assert machine.run("stat -c '%U %a' /var/lib/bipn-monitor /var/lib/bipn-monitor/bipn-monitor.db").splitlines() == [
        "bipn-monitor 700",
        "bipn-monitor 600",
    ]
    healthy = machine.run("cd /; runuser -u bipn-monitor -- /opt/bipn-monitor/bin/bipn-monitor status --nagios")
    assert healthy.startswith("OK - ")


def test_given_secrets_when_started_then_those_that_exist_are_handed_over_and_the_others_are_empty(machine: Machine) -> None:
    assert machine.run("cat /run/credentials/bipn-monitor.service/smtp_password") == "of the test"
    assert machine.run("cat /run/credentials/bipn-monitor.service/ping_url") == ""


def test_given_the_journal_when_searched_by_a_field_then_the_line_is_found_with_its_place(machine: Machine) -> None:
    (entry, *_) = machine.logged("BIPN_POLL_EVERY_SECONDS=2")
    assert (entry["_TRANSPORT"], entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"]) == ("journal", "6", "bipn-monitor")
    assert entry["MESSAGE"] == "watching poll_every_seconds=2"


def test_given_a_mistake_in_the_configuration_when_reloaded_or_restarted_then_it_goes_on_watching(machine: Machine) -> None:
    machine.run("sed -i 's/us-label/us-lable/' /etc/bipn-monitor/monitor.yaml; systemctl reload bipn-monitor")
    until(lambda: any("is refused" in entry["MESSAGE"] for entry in machine.logged("-p err")))
    machine.run("systemctl restart bipn-monitor")
    until(lambda: machine.shown("StatusText").startswith("evaluated to "))
    machine.run("sed -i 's/us-lable/us-label/' /etc/bipn-monitor/monitor.yaml; systemctl reload bipn-monitor")
    assert machine.shown("ActiveState") == "active"


LISTEN = """
import socket
with socket.create_server(("192.0.2.25", 2525)) as relay:
    relay.settimeout(25)
    try:
        relay.accept()[0].close()
        print("reached")
    except TimeoutError:
        print("not reached")
"""


def test_given_a_relay_elsewhere_when_its_network_is_allowed_then_and_only_then_it_is_reached(machine: Machine) -> None:
    assert machine.run(f"{PYTHON} - << 'END'{LISTEN}END") == "not reached"  # the refused configuration's alarm waits to go
    machine.run("printf '[Service]\\nIPAddressAllow=192.0.2.25\\n' > /etc/systemd/system/bipn-monitor.service.d/relay.conf")
    machine.run("systemctl daemon-reload; systemctl restart bipn-monitor")
    assert machine.run(f"{PYTHON} - << 'END'{LISTEN}END") == "reached"


RECEIVE = """
import asyncio
from pathlib import Path
from monitor.delivery.receiver import Receiver

async def receive():
    async with Receiver(Path("/run/received")) as receiver:
        print(receiver.port, flush=True)
        await asyncio.sleep(600)

asyncio.run(receive())
"""


def test_given_the_unit_s_fences_when_an_alert_is_mailed_then_its_figure_is_drawn_and_its_link_is_answered(
    machine: Machine,
) -> None:
    machine.run(f"/opt/bipn-monitor/bin/python - > /run/port 2> /dev/null << 'END' &{RECEIVE}END")
    until(lambda: machine.run("cat /run/port"))
    machine.run('sed -i "s/host: 192.0.2.25, port: 2525/host: 127.0.0.1, port: $(cat /run/port)/" /etc/bipn-monitor/monitor.yaml')
    machine.run("systemctl restart bipn-monitor")
    for name, rows in walking_lost_today().items():
        machine.run(f"mkdir -p /tmp/feed; cat > /tmp/feed/{name}.csv", given="\n".join(rows) + "\n")
    machine.run("cd /; runuser -u bipn-monitor -- /opt/bipn-monitor/bin/bipn-monitor import /tmp/feed")
    until(lambda: machine.run("grep -l 'Subject: IMMEDIATE' /run/received/*.eml", code=None))
    mail = machine.run("cat $(grep -l 'Subject: IMMEDIATE' /run/received/*.eml)")
    assert "Content-Type: image/png" in mail, machine.logged("-p warning")
    (link, *_) = re.findall(r"http://127\.0\.0\.1:8480/in/\S+", mail)
    asked = f"import urllib.request; print(urllib.request.urlopen({link!r}).status)"
    assert machine.run(f'{PYTHON} -c "{asked}"') == "200"


def walking_lost_today() -> dict[str, list[str]]:
    """The files of somebody on bortezomib who walked alone four weeks ago."""
    today = clock.now().date()
    first, before = today - timedelta(days=40), today - timedelta(days=28)
    return {
        "patients": ["patient_id,site", "P-1,ward-3"],
        "courses": ["patient_id,drug,started_on,schedule", f"P-1,bortezomib,{first},weekly"],
        "doses": ["patient_id,given_at,drug,dose_mg_per_m2", f"P-1,{first},bortezomib,1.3", f"P-1,{today},bortezomib,1.3"],
        "assessments": [
            "patient_id,assessed_at,motor_grade,walking",
            f"P-1,{before},0,unaided",
            f"P-1,{today},3,wheelchair",
        ],
    }


def test_given_a_daemon_that_hangs_when_the_watchdog_looks_then_it_is_started_again(machine: Machine) -> None:
    machine.run("systemctl reset-failed bipn-monitor; systemctl kill -s STOP bipn-monitor")
    until(lambda: any("Watchdog timeout" in entry["MESSAGE"] for entry in machine.logged()))
    until(lambda: machine.shown("ActiveState") == "active")


def test_given_a_daemon_that_cannot_start_when_given_up_then_people_are_told_and_it_comes_back_by_itself(
    machine: Machine,
) -> None:
    machine.run("mv /opt/bipn-monitor/bin/bipn-monitor /opt/away; systemctl restart bipn-monitor", code=None)
    told = "/run/bipn-monitor-failed/bipn-monitor.service"
    until(lambda: machine.run(f"cat {told}", code=None) != "")
    assert "nobody is mailed" in machine.run("journalctl -t bipn-monitor-failed -p emerg -o cat")
    until(lambda: machine.run("cat /run/bipn-monitor-failed/hook", code=None) == "bipn-monitor.service")
    machine.run("mv /opt/away /opt/bipn-monitor/bin/bipn-monitor")
    until(lambda: machine.shown("ActiveState") == "active")
    until(lambda: machine.run(f"ls {told}", code=None) == "")
    machine.run("systemctl stop bipn-monitor")
    assert (machine.shown("ActiveState"), machine.shown("Result")) == ("inactive", "success")
