"""What root may do to a machine. Whatever really happens here happens in a mount namespace that is not the host's
(even where the jail fails to start), or sets something to the value that it has."""
import os
import resource
import socket
import stat
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

# Started by hand, too, nothing may be changed for others: only the harness says `inside`.
p.not_the_hosts_mounts()
OUTSIDE = os.environ.get("PROBE_SIDE") != "inside"
RDONLY, REMOUNT, BIND, REC, PRIVATE, NEWNS = 1, 32, 4096, 16384, 1 << 18, 0x20000


def mine(name):
    return os.path.join(os.environ["HOME"], "%s-%d" % (name, os.getpid()))


def private():
    """Outside, nothing may be changed for others. Inside, the attempt is made on the jail's own mounts."""
    if OUTSIDE:
        p.syscall(272, NEWNS)
        p.syscall(165, None, b"/", None, REC | PRIVATE, None)


def mknod(kind, major, minor):
    path = mine("device")
    os.mknod(path, 0o600 | (stat.S_IFCHR if kind == "char" else stat.S_IFBLK), os.makedev(int(major), int(minor)))
    os.unlink(path)
    return "made"


def mount(kind):
    private()
    target = mine("mount")
    os.mkdir(target)
    data = b"none,name=gate-escape" if kind == "cgroup" else None
    p.syscall(165, b"none", target.encode(), kind.encode(), 0, data)
    return "mounted"


def remount(path):
    private()
    if OUTSIDE:
        p.syscall(165, path.encode(), path.encode(), None, BIND, None)
        p.syscall(165, None, path.encode(), None, BIND | REMOUNT | RDONLY, None)
    p.syscall(165, None, path.encode(), None, BIND | REMOUNT, None)
    return "writable"


def umount(path):
    private()
    p.syscall(166, path.encode(), 2)
    return "taken off"


def chroot():
    folder = mine("root")
    os.mkdir(folder)
    os.chroot(folder)
    return "changed root"


def module():
    """finit_module on a file that is none: what fails is the format, if the right was there."""
    descriptor = os.open(os.path.abspath(__file__), os.O_RDONLY)
    try:
        p.syscall(313, descriptor, b"", 0)
    except OSError as error:
        if p.errno_name(error.errno) == "ENOEXEC":
            return "allowed, then ENOEXEC"
        if OUTSIDE and p.errno_name(error.errno) == "ENOSYS":
            raise p.Unable("the kernel loads no modules") from error
        raise
    return "loaded"


def clock():
    """adjtimex in a mode that needs the right and sets the frequency to what it is."""
    import ctypes
    state = (ctypes.c_long * 32)()
    p.syscall(159, state)
    state[0] = 2
    p.syscall(159, state)
    return "clock set (to what it was)"


def limit():
    import ctypes
    _, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    try:
        p.syscall(302, 0, resource.RLIMIT_MSGQUEUE, (ctypes.c_ulong * 2)(0, hard + 1), None)
    except PermissionError as error:
        if OUTSIDE:
            raise p.Unable("this root lacks CAP_SYS_RESOURCE itself") from error
        raise
    return "raised"


def realtime():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "realtime"


def bind(port):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", int(port)))
    return "bound"


def filecap():
    """A file capability of the machine, not only of this user namespace."""
    path = mine("capable")
    open(path, "w").close()
    # VFS_CAP_REVISION_2, effective, CAP_SYS_ADMIN: valid in the first user namespace only.
    os.setxattr(path, "security.capability", bytes.fromhex("0100000200002000000000000000000000000000"))
    return "set"


def sniff():
    with socket.socket(17, socket.SOCK_RAW, socket.htons(3)) as listener:
        listener.settimeout(0.2)
        listener.bind(("lo", 0))
    return "listening"


p.run({f.__name__: f for f in (mknod, mount, remount, umount, chroot, module, clock, limit, realtime, bind, filecap,
                               sniff)})
