"""Attempts on files that the jail must keep whole or hide. Writes really happen where they are possible."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p


def append(path):
    with open(path, "ab") as file:
        file.write(b"\nescape.example\n")
    return "appended"


def opened(path, how):
    try:
        os.close(os.open(path, how | os.O_NONBLOCK))
    except OSError as error:
        # Virtual machines keep some devices from their own root.
        if os.environ.get("PROBE_SIDE") == "outside" and path.startswith("/dev/"):
            raise p.Unable("the machine itself says %s" % p.errno_name(error.errno)) from error
        raise
    return "open"


def open_write(path):
    """Opens for writing and writes nothing: what lies behind may run as root or sleep the machine."""
    return opened(path, os.O_WRONLY)


def open_read(path):
    return opened(path, os.O_RDONLY)


def create(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(path)
    return "created"


def make_folder(path):
    os.mkdir(path)
    os.rmdir(path)
    return "made"


def replace(path):
    """What an editor does: a new file renamed over the old one."""
    fresh = path + ".fresh"
    with open(fresh, "wb") as file:
        file.write(b"*.example\n")
    os.rename(fresh, path)
    return "replaced"


def swap(path):
    """The replacement comes from elsewhere, so only the target's folder has to allow it."""
    fresh = os.path.join(os.environ["HOME"], "fresh-%d" % os.getpid())
    with open(fresh, "wb") as file:
        file.write(b"*.example\n")
    os.rename(fresh, path)
    return "replaced"


def unlink(path):
    os.unlink(path)
    return "removed"


def chmod(path):
    os.chmod(path, 0o666)
    return "mode changed"


def truncate(path):
    os.truncate(path, 0)
    return "emptied"


def read(path, wanted):
    with open(path, "rb") as file:
        if wanted.encode() in file.read():
            return "read"
    raise p.Refused("other content")


def listing(path, wanted):
    if wanted in os.listdir(path):
        return "listed"
    raise p.Refused("empty listing")


def read_link(path, wanted, how):
    """Reads through another name that we make ourselves."""
    other = os.path.join(os.environ["HOME"], "%s-%d" % (how, os.getpid()))
    (os.symlink if how == "symbolic" else os.link)(path, other)
    return read(other, wanted)


def rename_parent(folder, inner, wanted):
    """`mv folder away`, then the secret by its new path, or the list in a folder of our own making."""
    os.rename(folder, folder + ".away")
    try:
        return read(os.path.join(folder + ".away", inner), wanted)
    finally:
        os.rename(folder + ".away", folder)


def exchange(folder):
    """RENAME_EXCHANGE with a folder of ours: swaps the config without ever unlinking it."""
    return exchange_with(os.path.join(os.environ["HOME"], "ours-%d" % os.getpid()), folder)


def exchange_beside(folder):
    """The same with one that lies in the same folder, and so in the same mount."""
    return exchange_with("%s-ours-%d" % (folder, os.getpid()), folder)


def exchange_with(ours, folder):
    os.mkdir(ours)
    try:
        p.syscall(316, -100, ours.encode(), -100, folder.encode(), 2)
        p.syscall(316, -100, ours.encode(), -100, folder.encode(), 2)
    finally:
        os.rmdir(ours)
    return "exchanged"


def from_cwd(inner, wanted):
    """A relative path from the folder we were started in."""
    return read(inner, wanted)


def through_self(path, wanted, entry):
    return read("/proc/self/%s%s" % (entry, path), wanted)


def descriptor(number, inner, wanted):
    """openat() on a directory that gate's caller had left open."""
    opened = os.open(inner, os.O_RDONLY, dir_fd=int(number))
    with os.fdopen(opened, "rb") as file:
        if wanted.encode() in file.read():
            return "read"
    raise p.Refused("other content")


def mapped(path):
    """A shared writable mapping needs no write()."""
    import mmap
    opened = os.open(path, os.O_RDWR)
    with mmap.mmap(opened, 0) as view:
        view[0] = view[0]
    return "mapped for writing"


def execute(path):
    """Runs a setuid program: what user does it work as?"""
    import subprocess
    seen = subprocess.run([path], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    if seen == "0":
        return "ran as root"
    raise p.Refused("ran as %s" % seen)


p.run({f.__name__: f for f in (append, open_write, open_read, create, make_folder, replace, swap, unlink, chmod, truncate, read,
                               listing, read_link, rename_parent, exchange, exchange_beside, from_cwd, through_self, descriptor,
                               mapped, execute)})
