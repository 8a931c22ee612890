"""Attempts from a user and mount namespace of the agent's own, where it holds every capability.

`cover` as first argument makes covers like gate's in the same namespace first: outside the jail this shows that
the attack does undo a cover which was not made by somebody else.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

p.not_the_hosts_mounts()
RDONLY, REMOUNT, BIND, REC, PRIVATE, MOVE = 1, 32, 4096, 16384, 1 << 18, 8192


def mount(source, target, kind, flags, data=None):
    p.syscall(165, source and source.encode(), target.encode(), kind and kind.encode(), flags, data and data.encode())


def enter(flags=0x10000000 | 0x20000):
    uid, gid = os.getuid(), os.getgid()
    p.syscall(272, flags)
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    # Root inside the jail may not map uid 0 without CAP_SETFCAP; any id will do for the capabilities.
    for entry, own in (("uid_map", uid), ("gid_map", gid)):
        with open("/proc/self/" + entry, "w") as file:
            file.write("%d %d 1" % (own, own))


def stage(cover, folder):
    if cover == "cover":
        # As root the covers can be made in the same user namespace, where taking them off is allowed.
        p.syscall(272, 0x20000 if os.getuid() == 0 else 0x10020000)
        mount(None, "/", None, REC | PRIVATE)
        mount(folder, folder, None, BIND)
        mount(None, folder, None, REMOUNT | BIND | RDONLY)
        mount("cover", os.path.join(folder, "ca"), "tmpfs", 0)
    else:
        enter()


def points(folder):
    """Every mount point on the way to the folder and below it, the deepest first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        seen = [line.split()[4].replace("\\040", " ") for line in file]
    return sorted((one for one in seen if one.startswith(folder) or folder.startswith(one + "/")), key=len)[::-1]


def umount(cover, folder, secret, wanted):
    """Takes off each cover, lazily too, then reads what was hidden."""
    stage(cover, folder)
    last = None
    for point in points(folder):
        for flags in (0, 2):
            try:
                p.syscall(166, point.encode(), flags)
            except OSError as error:
                last = last or error
    try:
        with open(secret, "rb") as file:
            if wanted.encode() in file.read():
                return "cover taken off"
    except OSError:
        raise last or p.Refused("still hidden") from None
    raise p.Refused("other content")


def remount(cover, folder, listfile):
    """Makes the config writable again."""
    stage(cover, folder)
    mount(None, folder, None, REMOUNT | BIND)
    with open(listfile, "ab") as file:
        file.write(b"\nescape.example\n")
    return "written"


def rebind(cover, folder, inner, wanted, recursive):
    """Binds a parent elsewhere; without REC the covers below would stay behind."""
    stage(cover, folder)
    other = os.path.join(os.environ["HOME"], "rebind-%d" % os.getpid())
    os.mkdir(other)
    mount(os.path.dirname(folder), other, None, BIND | (REC if recursive == "recursive" else 0))
    with open(os.path.join(other, os.path.basename(folder), inner), "rb") as file:
        if wanted.encode() in file.read():
            return "read around the cover"
    raise p.Refused("other content")


def opentree(cover, folder, inner, wanted):
    """open_tree(OPEN_TREE_CLONE) of the parent: a detached copy without what is mounted below."""
    stage(cover, folder)
    tree = p.syscall(428, -100, os.path.dirname(folder).encode(), 1)
    opened = os.open(os.path.join(os.path.basename(folder), inner), os.O_RDONLY, dir_fd=tree)
    if wanted.encode() in os.read(opened, 4096):
        return "read around the cover"
    raise p.Refused("other content")


def remake(cover, folder, inner, wanted):
    """A pivot to a fresh root that is bound from the old one."""
    stage(cover, folder)
    new = os.path.join(os.environ["HOME"], "root-%d" % os.getpid())
    os.mkdir(new)
    mount("/", new, None, BIND)
    os.chroot(new)
    with open(os.path.join(folder, inner), "rb") as file:
        if wanted.encode() in file.read():
            return "read below a new root"
    raise p.Refused("other content")


def let_go(cover, path, how, inner="", wanted=""):
    """From a namespace whose mounts were all let go: only a mount that the caller has keeps its point in place."""
    enter()
    mount(None, "/", None, REC | PRIVATE)
    if cover == "cover":
        mount(path, path, None, BIND)
    if cover == "cover" and how == "read":
        mount("cover", os.path.join(path, os.path.dirname(inner)), "tmpfs", 0)
    folder, name = os.path.split(path)
    held = os.open(folder, os.O_RDONLY)
    mount("new root", "/tmp", "tmpfs", 0)
    os.mkdir("/tmp/old")
    os.chdir("/tmp")
    p.syscall(155, b".", b"old")
    p.syscall(166, b"/old", 2)
    return AFTERWARDS[how](held, name, inner, wanted.encode())


def move_away(held, name, _inner, _wanted):
    os.rename(name, name + ".away", src_dir_fd=held, dst_dir_fd=held)
    os.rename(name + ".away", name, src_dir_fd=held, dst_dir_fd=held)
    return "moved away"


def exchange(held, name, _inner, _wanted):
    """With a folder that was made for it."""
    other = name + ".other"
    os.mkdir(other, dir_fd=held)
    try:
        for _ in range(2):
            p.syscall(316, held, name.encode(), held, other.encode(), 2)
    finally:
        os.rmdir(other, dir_fd=held)
    return "exchanged"


def unlink(held, name, _inner, _wanted):
    """Puts the file back by another inode, as an attacker would his own."""
    with open(os.open(name, os.O_RDONLY, dir_fd=held), "rb") as file:
        content = file.read()
    os.unlink(name, dir_fd=held)
    with open(os.open(name, os.O_WRONLY | os.O_CREAT, 0o755, dir_fd=held), "wb") as file:
        file.write(content)
    return "another file in its place"


def uncovered(held, name, inner, wanted):
    with open(os.open(os.path.join(name, inner), os.O_RDONLY, dir_fd=held), "rb") as file:
        if wanted in file.read():
            return "read below the cover"
    raise p.Refused("other content")


AFTERWARDS = {"move": move_away, "exchange": exchange, "unlink": unlink, "read": uncovered}


def interface(cover, command):
    """Changes the loopback that everything rests on (outside: to the value that it has)."""
    import subprocess
    if cover != "cover":
        enter()
    done = subprocess.run(["ip", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return "done"
    raise p.Refused(done.stdout.decode().strip())


p.run({f.__name__: f for f in (umount, remount, rebind, opentree, remake, let_go, interface)})
