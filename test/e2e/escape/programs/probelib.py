"""What every probe program says: `PROBE start` first, then one verdict.

A jail that never started says nothing at all, so silence never counts as a refusal.
  PROBE escaped <detail>   the attempt worked
  PROBE refused <how>      it did not; <how> is an errno name or a few words
  PROBE unable <why>       this machine cannot try (only believed outside the jail)
"""
import ctypes
import errno
import os
import signal
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long


class Refused(Exception):
    """The attempt was turned down in a way that has no errno."""


class Unable(Exception):
    """The machine has not what the attempt needs."""


def name():
    """The probe's name: sent along with every packet, so that a sink can tell who got out."""
    return os.environ.get("PROBE_NAME", "unnamed")


def token():
    """What only a sink of the test can answer."""
    return os.environ.get("PROBE_TOKEN", "no-token")


def not_the_hosts_mounts():
    """Stops a program that mounts and unmounts where a jail that failed would let it loose on the machine."""
    host, own = os.environ.get("PROBE_HOST_MNT"), os.readlink("/proc/self/ns/mnt")
    if os.geteuid() == 0 and host in (None, own):
        say("start")
        say("unable", "these are the mounts of the machine itself: nothing was tried")
        sys.exit(3)


def say(word, detail=""):
    print("PROBE", word, " ".join(str(detail).split())[:400], flush=True)


def errno_name(number):
    return errno.errorcode.get(number, "errno %d" % number)


def syscall(number, *arguments):
    """A raw system call with 64-bit arguments; raises OSError as Python's own wrappers do."""
    wide = [a if isinstance(a, (bytes, ctypes.Array, ctypes._Pointer, type(None))) or hasattr(a, "_obj")
            else ctypes.c_long(a) for a in arguments]
    result = LIBC.syscall(ctypes.c_long(number), *wide)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def run(attempts):
    """Runs `attempts[argv[1]](*argv[2:])` and prints its verdict."""
    signal.alarm(12)
    say("start")
    try:
        detail = attempts[sys.argv[1]](*sys.argv[2:])
    except Refused as refusal:
        say("refused", refusal)
    except Unable as why:
        say("unable", why)
    except TimeoutError:
        say("refused", "no answer")
    except OSError as error:
        say("refused", errno_name(error.errno) if error.errno else error)
    else:
        say("escaped", detail if detail is not None else "")
