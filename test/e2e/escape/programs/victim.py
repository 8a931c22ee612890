"""Somebody else's process: sleeps, and lets anyone of the same user trace it even under Yama's restriction."""
import ctypes
import time

ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)
print("ready", flush=True)
time.sleep(300)
