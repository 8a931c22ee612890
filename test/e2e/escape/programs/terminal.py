"""Attempts on the terminal that the agent shares with its user."""
import ctypes
import fcntl
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS = 0x5412, 0x541C, 0x5423, 0x541D


def sti(high):
    """Types `id` for the user, byte by byte."""
    for byte in b"id\n":
        p.syscall(16, 0, TIOCSTI | int(high, 0), ctypes.byref(ctypes.c_ubyte(byte)))
    return "typed"


def linux(path):
    """A console's paste; the sub-code only asks for the shift state, so nothing happens where it is allowed."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    p.syscall(16, descriptor, TIOCLINUX, ctypes.byref(ctypes.c_ubyte(6)))
    return "console asked"


def discipline(_):
    """Line disciplines are kernel modules with a history."""
    p.syscall(16, 0, TIOCSETD, ctypes.byref(ctypes.c_int(3)))
    return "line discipline set"


def other(path, text):
    """Writes to another terminal of the same user."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    os.write(descriptor, text.encode())
    return "written"


def other_sti(path):
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    p.syscall(16, descriptor, TIOCSTI, ctypes.byref(ctypes.c_ubyte(0x41)))
    return "typed"


p.run({f.__name__: f for f in (sti, linux, discipline, other, other_sti)})
