"""An ordinary tool as the attempt: tool.py WANTED -- CMD…. Escaped when it ends well and its output holds WANTED."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import probelib as p


def tool(wanted, _dashes, *argv):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=10, check=False)
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0 and wanted in output:
        return output[:100]
    if os.environ.get("PROBE_SIDE") == "outside" and ("unknown command" in output or "unknown option" in output):
        raise p.Unable(output.strip().splitlines()[0])
    raise p.Refused("exit %d: %s" % (done.returncode, output.strip()[-200:]))


sys.argv.insert(1, "tool")
p.run({"tool": tool})
