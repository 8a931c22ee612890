"""Gives a command a terminal of its own and tells what turned up in that terminal's input.

usage: onterminal.py CMD…. Prints what the command wrote, then `INPUT <repr>`: what waits to be read by the next program,
which is what TIOCSTI pretends was typed.
"""
import os
import pty
import select
import signal
import sys
import termios
import time

controller, terminal = pty.openpty()
child = os.fork()
if child == 0:
    os.setsid()
    import fcntl
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2):
        os.dup2(terminal, number)
    os.closerange(3, 256)
    os.execvp(sys.argv[1], sys.argv[1:])

# Without echo, and with bytes passed on at once, waiting input can be told from output.
modes = termios.tcgetattr(terminal)
modes[3] &= ~(termios.ECHO | termios.ICANON)
termios.tcsetattr(terminal, termios.TCSANOW, modes)
output, until = b"", time.time() + 20
while time.time() < until:
    ready, _, _ = select.select([controller], [], [], 0.1)
    if ready:
        output += os.read(controller, 4096)
    elif os.waitpid(child, os.WNOHANG)[0]:
        break
else:
    os.kill(child, signal.SIGKILL)
termios.tcsetattr(terminal, termios.TCSANOW, modes)
waiting = b""
while select.select([terminal], [], [], 0.1)[0]:
    waiting += os.read(terminal, 4096)
print(output.decode("utf-8", "replace"))
print("INPUT", waiting)
