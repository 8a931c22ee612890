"""System calls that an agent does not need and a jail must not give. Arguments are chosen so that even where the
call is allowed nothing happens: the verdict is whether permission was given, not what the call did."""
import ctypes
import fcntl
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

NEWNS, NEWUSER, NEWNET, NEWPID = 0x20000, 0x10000000, 0x40000000, 0x20000000
HIGH = 1 << 32
# Errors that come only after the kernel has said yes to the caller.
PAST_THE_GUARD = ("EINVAL", "EFAULT", "EBADF", "ENOENT", "ENOEXEC", "ENODEV", "E2BIG", "ENOTBLK", "ESRCH", "EEXIST")


def allowed(number, *arguments):
    """Escaped when the call got past permission checks, though its arguments are nonsense."""
    try:
        p.syscall(number, *arguments)
    except OSError as error:
        if p.errno_name(error.errno) in PAST_THE_GUARD:
            return "allowed, then %s" % p.errno_name(error.errno)
        if p.errno_name(error.errno) == "ENOSYS" and os.environ.get("PROBE_SIDE") == "outside":
            raise p.Unable("the kernel has no such call") from error
        raise
    return "allowed"


def unshare(flags):
    p.syscall(272, int(flags, 0))
    return "unshared"


def clone(flags):
    """fork by the raw call; the child leaves at once."""
    child = p.syscall(56, int(flags, 0) | 17, None, None, None, None)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "cloned"


def clone3(flags):
    args = (ctypes.c_uint64 * 11)(int(flags, 0), 0, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    child = p.syscall(435, args, 88)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "cloned"


def socket(family, kind, protocol):
    os.close(p.syscall(41, int(family, 0), int(kind, 0), int(protocol, 0)))
    return "socket opened"


def socketpair(family, kind, protocol):
    pair = (ctypes.c_int * 2)()
    p.syscall(53, int(family, 0), int(kind, 0), int(protocol, 0), pair)
    return "socket pair opened"


def io_uring(_):
    params = (ctypes.c_uint32 * 30)()
    os.close(p.syscall(425, 4, params))
    return "ring made"


def io_uring_later(number):
    """enter and register on a ring that somebody else may have made."""
    return allowed(int(number), 999, 0, 0, 0, 0, 0)


def bpf(_):
    attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    os.close(p.syscall(321, 0, attributes, 128))
    return "map made"


def perf(_):
    attributes = (ctypes.c_uint32 * 32)()
    attributes[0], attributes[1], attributes[2] = 1, 128, 0
    attributes[10] = 0x61
    os.close(p.syscall(298, attributes, 0, -1, -1, 0))
    return "counter opened"


def userfaultfd(_):
    os.close(p.syscall(323, 0))
    return "opened"


def keyctl(_):
    p.syscall(250, 0, -4, 1)
    return "user keyring reached"


def add_key(_):
    p.syscall(248, b"user", b"gate-escape", b"x", 1, -1)
    return "key added"


def request_key(_):
    """Asks for a key that nobody has: an answer about the key means that the call was let through."""
    try:
        p.syscall(249, b"user", b"gate-escape-none", None, 0)
    except OSError as error:
        if p.errno_name(error.errno) == "ENOKEY":
            return "searched"
        raise
    return "found"


def seccomp_listener(_):
    """A notify listener would let a process fake the answers of system calls of its children."""
    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
    allow = (ctypes.c_uint64 * 1)(0x7FFF000000000006)
    program = Program(1, ctypes.cast(allow, ctypes.c_void_p))
    p.LIBC.prctl(38, 1, 0, 0, 0)
    os.close(p.syscall(317, 1, 8, ctypes.byref(program)))
    return "listener opened"


def by_number(number, *arguments):
    return allowed(int(number), *[int(a, 0) for a in arguments])


def file_handle(path):
    """open_by_handle_at walks past every mount: CAP_DAC_READ_SEARCH must be gone."""
    class Handle(ctypes.Structure):
        _fields_ = [("bytes", ctypes.c_uint), ("type", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]
    handle, mount_id = Handle(128), ctypes.c_int()
    p.syscall(303, -100, path.encode(), ctypes.byref(handle), ctypes.byref(mount_id), 0)
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY)
    os.close(p.syscall(304, descriptor, ctypes.byref(handle), os.O_RDONLY))
    return "opened by handle"


def snapshot(request):
    """A file system's own request, to which a folder of another one says that it does not know it."""
    descriptor = os.open(".", os.O_RDONLY)
    try:
        p.syscall(16, descriptor, int(request, 0), (ctypes.c_ubyte * 4096)())
    except OSError as error:
        if p.errno_name(error.errno) in ("ENOTTY", "EINVAL", "EBADF", "EOPNOTSUPP", "EPROTONOSUPPORT"):
            return "asked, then %s" % p.errno_name(error.errno)
        raise
    return "made"


def hostname(_):
    name = os.uname().nodename.encode()
    p.syscall(170, name, len(name))
    return "set (to what it was)"


def tty(code, path):
    """ioctl TIOCSTI or TIOCLINUX, with anything in the upper half."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    p.syscall(16, descriptor, int(code, 0), ctypes.byref(ctypes.c_ubyte(6)))
    return "ioctl accepted"


p.run({f.__name__: f for f in (unshare, clone, clone3, socket, socketpair, io_uring, io_uring_later, bpf, perf,
                               userfaultfd, keyctl, add_key, request_key, seccomp_listener, by_number,
                               file_handle, snapshot, hostname, tty)})
