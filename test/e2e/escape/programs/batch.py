"""Runs many probes, each its own process, and prints one JSON line for each.

usage: batch.py SPEC.json GATE_PID. The same runner is used outside and inside, so that the jail is the only
difference. `{gate}` in an argument becomes GATE_PID: only the starting shell knows it. `{victim}` becomes the pid of a fresh
process, so that an attempt outside can really kill something.
"""
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def text(data):
    return (data or b"").decode("utf-8", "replace")[-4000:]


def victim_for(probe):
    if not any("{victim}" in part for part in probe["argv"]):
        return None
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "victim.py")
    victim = subprocess.Popen([sys.executable, path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    victim.stdout.readline()
    return victim


def attempt(probe, gate, token):
    victim = victim_for(probe)
    try:
        pid = str(victim.pid) if victim else ""
        argv = [part.replace("{gate}", gate).replace("{victim}", pid) for part in probe["argv"]]
        return run(probe, argv, token)
    finally:
        if victim:
            victim.kill()


def run(probe, argv, token):
    env = dict(os.environ, PROBE_NAME=probe["name"], PROBE_TOKEN=token, **probe.get("env", {}))
    result = {"name": probe["name"], "hung": False}
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=env, cwd=probe.get("cwd"), start_new_session=True, close_fds=False)
    except OSError as error:
        return dict(result, code=127, stdout="", stderr=str(error))
    try:
        out, err = child.communicate(timeout=probe.get("timeout", 15))
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        result["hung"] = True
    return dict(result, code=child.returncode, stdout=text(out), stderr=text(err))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    with ThreadPoolExecutor(spec.get("parallel", 4)) as pool:
        jobs = [pool.submit(attempt, probe, sys.argv[2], spec["token"]) for probe in spec["probes"]]
        for job in jobs:
            print(json.dumps({"probe": job.result()}), flush=True)


main()
