"""Memory and queues that processes of one user share without any file: `make` leaves them, `read` finds them."""
import ctypes
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p

SHMGET, SHMAT, SHMCTL, SEMGET, SEMCTL, MSGGET, MSGCTL, MQ_OPEN, MQ_UNLINK = 29, 30, 31, 64, 66, 68, 71, 240, 241
CREATE = 0o1000


def make(key, shared):
    key = int(key)
    p.syscall(SHMGET, key, 4096, CREATE | 0o600)
    p.syscall(SEMGET, key, 1, CREATE | 0o600)
    p.syscall(MSGGET, key, CREATE | 0o600)
    os.close(p.syscall(MQ_OPEN, b"gesc%d" % key, os.O_CREAT | os.O_RDWR, 0o600, None))
    with open(shared, "w", encoding="utf-8") as file:
        file.write(p.token())
    return "made"


def remove(key, shared):
    key = int(key)
    p.syscall(SHMCTL, p.syscall(SHMGET, key, 0, 0), 0, None)
    p.syscall(SEMCTL, p.syscall(SEMGET, key, 0, 0), 0, 0)
    p.syscall(MSGCTL, p.syscall(MSGGET, key, 0), 0, None)
    p.syscall(MQ_UNLINK, b"gesc%d" % key)
    os.unlink(shared)
    return "removed"


def shm(key):
    p.syscall(SHMAT, p.syscall(SHMGET, int(key), 0, 0), None, 0)
    return "attached"


def sem(key):
    return p.syscall(SEMGET, int(key), 0, 0)


def msg(key):
    return p.syscall(MSGGET, int(key), 0)


def mq(key):
    os.close(p.syscall(MQ_OPEN, b"gesc%s" % key.encode(), os.O_RDWR, 0, None))
    return "opened"


p.run({f.__name__: f for f in (make, remove, shm, sem, msg, mq)})
