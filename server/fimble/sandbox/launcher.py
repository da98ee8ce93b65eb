"""Shut this process in and start the program inside it. Run as a script by `process`; imports nothing of fimble.

Three processes: this one, outside; the first process of a new PID namespace, which takes the namespace down
with it when it ends; the program. Where namespaces are refused there are two, and the first collects orphans
(PR_SET_CHILD_SUBREAPER). The report pipe gets one JSON line when the walls stand and one when the program ended.

What the walls do not stop: reading files that the user can read, `chmod` and `utime` on the user's files, and
connecting to Unix sockets that have a path. A program that must not read secrets needs more than this.

Source: namespaces(7), user_namespaces(7), pid_namespaces(7), landlock(7), prctl(2); numbers from linux/landlock.h,
linux/sched.h, linux/prctl.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x20000000, 0x40000000, 0x08000000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
# The same on every architecture but alpha.
SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_ADD_RULE, SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_RULE_PATH_BENEATH = 1, 1
FS_WRITE_FILE, FS_REFER, FS_TRUNCATE = 1 << 1, 1 << 13, 1 << 14
# Write to, remove and make files, folders, links, sockets, pipes and devices (bits 1 and 4 to 12).
FS_WRITES = FS_WRITE_FILE | sum(1 << bit for bit in range(4, 13))
NET_TCP = 0b11
EXIT_NOT_STARTED = 125

Libc = Any


def main() -> NoReturn:
    """Read the plan from the first argument and do it."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    libc: Libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    namespaces = False
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != plan["parent_pid"]:
            raise SystemExit(1)  # the parent died before it could be watched
        namespaces = _enter_namespaces(libc)
    first_pid = os.fork()
    if first_pid == 0:
        _first(plan, libc, namespaces)
    _, status = os.waitpid(first_pid, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _enter_namespaces(libc: Libc) -> bool:
    """Leave the network and the other processes behind; False where the system refuses."""
    uid, gid = os.getuid(), os.getgid()
    inner = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC
    if libc.unshare(CLONE_NEWUSER | inner) != 0:
        return uid == 0 and libc.unshare(inner) == 0
    try:
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
    except OSError:
        pass  # the ids show as nobody inside; the walls stand all the same
    return True


def _first(plan: dict[str, Any], libc: Libc, namespaces: bool) -> NoReturn:
    """Be the parent of everything the program starts, and tell how it ended."""
    try:
        writes, no_tcp = False, False
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            writes, no_tcp = _landlock(libc, plan["folder"])
        network = "none" if namespaces else "no-tcp" if no_tcp else "open"
        _report(plan, {"network": network, "writes": writes, "tree": namespaces})
        program_pid = os.fork()
        if program_pid == 0:
            _become(plan)
        status = _wait(program_pid)
        _report(plan, {"wait_status": status})
        if libc is not None and not namespaces:
            _kill_orphans()
    finally:
        os._exit(0)


def _become(plan: dict[str, Any]) -> NoReturn:
    """Lay down the limits and turn into the program."""
    try:
        os.close(plan["report_fd"])
        _set_limits(plan)
        os.chdir(plan["folder"])
        os.execvpe(plan["argv"][0], plan["argv"], plan["environment"])  # noqa: S606 - no shell is the point
    except BaseException as error:
        os.write(2, f"{plan['argv'][0]}: {error}".encode())
    os._exit(EXIT_NOT_STARTED)


def _set_limits(plan: dict[str, Any]) -> None:
    import resource  # POSIX only, like everything here

    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: plan["cpu_s"],
        resource.RLIMIT_FSIZE: plan["file_bytes_max"],
        resource.RLIMIT_NOFILE: 256,
    }
    if plan["address_space_bytes"] is not None:
        wanted[resource.RLIMIT_AS] = plan["address_space_bytes"]
    for name, asked in wanted.items():
        hard = resource.getrlimit(name)[1]
        most = asked if hard == resource.RLIM_INFINITY else min(asked, hard)
        try:
            # Soft below hard for CPU: SIGXCPU says which limit it was, SIGKILL would not.
            resource.setrlimit(name, (most, most + 1 if name == resource.RLIMIT_CPU else most))
        except (ValueError, OSError):
            continue  # macOS has no RLIMIT_AS worth the name; the watching parent still counts memory


def _landlock(libc: Libc, folder: str) -> tuple[bool, bool]:
    """Allow writing beneath `folder` and to the null device only; gives (writes confined, TCP refused)."""
    abi = libc.syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_CREATE_RULESET_VERSION)
    if abi < 1:
        return False, False
    rights = FS_WRITES | (FS_REFER if abi >= 2 else 0) | (FS_TRUNCATE if abi >= 3 else 0)
    attributes = struct.pack("=QQ", rights, NET_TCP) if abi >= 4 else struct.pack("=Q", rights)
    rules = libc.syscall(SYS_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False, False
    try:
        for path, allowed in ((folder, rights), (os.devnull, rights & (FS_WRITE_FILE | FS_TRUNCATE))):
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", allowed, fd)
            failed = libc.syscall(SYS_LANDLOCK_ADD_RULE, rules, LANDLOCK_RULE_PATH_BENEATH, rule, 0) != 0
            os.close(fd)
            if failed:
                return False, False
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        confined = libc.syscall(SYS_LANDLOCK_RESTRICT_SELF, rules, 0) == 0
    finally:
        os.close(rules)
    return confined, confined and abi >= 4


def _wait(program_pid: int) -> int:
    """Collect whatever ends until the program does; gives its wait status."""
    while True:
        pid, status = os.wait()
        if pid == program_pid:
            return status


def _kill_orphans() -> None:
    """Kill what the program left behind; each one's children come to us in turn."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while left := children.read_text(encoding="ascii").split():
        for pid in left:
            with contextlib.suppress(OSError):  # it ended by itself meanwhile
                os.kill(int(pid), signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.wait()


def _report(plan: dict[str, Any], line: dict[str, Any]) -> None:
    os.write(plan["report_fd"], (json.dumps(line) + "\n").encode())


if __name__ == "__main__":
    main()
