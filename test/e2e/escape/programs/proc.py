"""Attempts on other processes: the canary outside, gate and the jail's init inside.

`pid` arguments name the victim. Escaped means that the victim was touched, not merely that no error came back.
"""
import ctypes
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_DETACH = 16, 0x4206, 17
VM_READV, VM_WRITEV, PIDFD_SEND, PIDFD_OPEN, PIDFD_GETFD, SETNS, KCMP = 310, 311, 424, 434, 438, 308, 312
NAMESPACES = ("net", "mnt", "pid", "user", "ipc", "uts", "cgroup")


def state(pid):
    with open("/proc/%d/stat" % pid, encoding="latin1") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


def settle(pid, done):
    """Waits a moment for a signal to work; the first sight of a living victim is not yet a refusal."""
    for _ in range(20):
        try:
            if done(state(pid)):
                return True
        except FileNotFoundError:
            return done("gone")
        time.sleep(0.02)
    return False


def kill(pid, number):
    pid, number = int(pid), int(number)
    os.kill(pid, number)
    if number == 0:
        return "signal 0 accepted"
    wanted = {signal.SIGSTOP: "T", signal.SIGCONT: "SRD"}.get(number, ("gone", "Z"))
    if settle(pid, lambda seen: seen in wanted):
        return "victim is now %s" % (wanted,)
    raise p.Refused("no effect")


def ptrace(pid, how):
    request = PTRACE_ATTACH if how == "attach" else PTRACE_SEIZE
    p.syscall(101, request, int(pid), 0, 0)
    if how == "attach":
        os.waitpid(int(pid), 0)
        p.syscall(101, PTRACE_DETACH, int(pid), 0, 0)
    return how


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def stack_of(pid):
    """An address that exists in the victim; any will do where its maps are hidden."""
    with open("/proc/%s/maps" % pid, encoding="latin1") as file:
        for line in file:
            if "[stack]" in line:
                return int(line.split("-")[0], 16)
    return id(file)


def vm(pid, how):
    try:
        address = stack_of(pid)
    except OSError:
        address = 0x10000
    buffer = ctypes.create_string_buffer(8)
    local = Iovec(ctypes.cast(buffer, ctypes.c_void_p), 8)
    remote = Iovec(address, 8)
    number = VM_READV if how == "read" else VM_WRITEV
    if how == "write":
        p.syscall(VM_READV, int(pid), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    return "%d bytes" % p.syscall(number, int(pid), ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)


def mem(pid):
    descriptor = os.open("/proc/%s/mem" % pid, os.O_RDWR)
    return "%d bytes" % len(os.pread(descriptor, 8, stack_of(pid)))


def read(pid, entry):
    with open("/proc/%s/%s" % (pid, entry), "rb") as file:
        data = file.read(4096)
    if not data:
        raise p.Refused("empty")
    return "%d bytes" % len(data)


def folder(pid, entry):
    """Walks through another process's root, cwd or descriptors: its own view of the files."""
    return "%d entries" % len(os.listdir("/proc/%s/%s/" % (pid, entry)))


def descriptors(pid):
    """What the victim has open. Names of descriptors alone are nothing: what they lead to is."""
    for number in os.listdir("/proc/%s/fd" % pid):
        os.readlink("/proc/%s/fd/%s" % (pid, number))
        try:
            os.close(os.open("/proc/%s/fd/%s" % (pid, number), os.O_RDONLY | os.O_NONBLOCK))
        except OSError as error:
            if p.errno_name(error.errno) in ("EACCES", "EPERM"):
                raise
        return "read"
    raise p.Refused("empty")


def pidfd(pid):
    p.syscall(PIDFD_SEND, p.syscall(PIDFD_OPEN, int(pid), 0), signal.SIGCONT, None, 0)
    return "signalled"


def getfd(pid):
    p.syscall(PIDFD_GETFD, p.syscall(PIDFD_OPEN, int(pid), 0), 1, 0)
    return "descriptor taken"


def getfd_self(high):
    """The call on a process of our own: refused as a call, not for lack of rights."""
    p.syscall(PIDFD_GETFD, p.syscall(PIDFD_OPEN, os.getpid(), 0), 1, int(high, 0))
    return "descriptor taken"


def setns(pid, kind):
    descriptor = os.open("/proc/%s/ns/%s" % (pid, kind), os.O_RDONLY)
    p.syscall(SETNS, descriptor, 0)
    return "joined"


def setns_pidfd(pid):
    """Several namespaces of the victim at once."""
    p.syscall(SETNS, p.syscall(PIDFD_OPEN, int(pid), 0), 0x40000000 | 0x08000000 | 0x04000000)
    return "joined"


def listed(marker):
    """Whether a process outside can be seen by its command line."""
    seen = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        seen += 1
        # Our own arguments, and our parents', hold the marker too: only an exact argv[0] counts.
        if words[0] == marker.encode():
            return "pid %s" % pid
    raise p.Refused("not among %d processes" % seen)


def everyone(_):
    """kill(-1): only ever run where the test has made a pid namespace of its own around everything."""
    os.kill(-1, signal.SIGKILL)
    return "sent"


def group(_):
    """kill(0) from the process group that gate was started in."""
    os.kill(0, signal.SIGKILL)
    return "sent"


p.run({f.__name__: f for f in (kill, ptrace, vm, mem, read, folder, descriptors, pidfd, getfd, getfd_self, setns, setns_pidfd,
                               listed, everyone, group)})
