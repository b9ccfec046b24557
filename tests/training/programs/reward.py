"""A program that "trains": it counts steps, writes a checkpoint after each, and has the faults of its policies.

Policies: steps=N, pause=SECONDS, crash=N (once, at that step), kill=N (the same by SIGKILL), always=crash, exit=N,
nan=N, deaf=1 (ignores SIGTERM), child=1 (starts a child that stays), mib=N, noise=1, metrics=nan, pickle=1.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def say(event, **about):
    print(json.dumps({"event": event, **about}), flush=True)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text)
    os.replace(aside, path)


def once(out, name):
    """Return True the first time, over all starts of the program."""
    mark = out / f"{name}.once"
    is_first = not mark.exists()
    mark.write_text("")
    return is_first


def main():
    parser = argparse.ArgumentParser()
    for name in ("--release", "--out"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--backbone", "--seed", "--seeds", "--max-steps"):
        parser.add_argument(name)
    parser.add_argument("--targets", nargs="*")
    parser.add_argument("--policy", action="append", default=[])
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    acts = dict(policy.split("=") for policy in options.policy)
    out = options.out
    with (out / "starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    lock = (out / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        (out.parent.parent.parent / "twice").write_text("two programs at once")
    if "exit" in acts:
        print("a line for the log", file=sys.stderr, flush=True)
        say("failed", code="leak", message="Two pairs are in both parts.", items=["a", "b"])
        sys.exit(int(acts["exit"]))
    stopped = []
    signal.signal(signal.SIGTERM, signal.SIG_IGN if "deaf" in acts else lambda *_: stopped.append(1))
    if "child" in acts:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        write(out / "child", str(child.pid))
    ballast = b"x" * (int(acts.get("mib", 0)) << 20)
    steps, state = int(acts.get("steps", 10)), out / "checkpoint" / "state.json"
    begin = json.loads(state.read_text())["step"] if options.resume else 0
    say("started", steps=steps, model="reward", targets=options.targets, backbone=options.backbone, seed=options.seed)
    say("preflight", report={"pairs": 2, "ties": 0})
    if "noise" in acts:
        print("no event\n[1, 2]\n{", flush=True)
    for step in range(begin + 1, steps + 1):
        time.sleep(float(acts.get("pause", 0)))
        if stopped:
            sys.exit(75)
        if step == int(acts.get("nan", 0)):
            say("step", step=step, loss=float("nan"))
            say("failed", code="non_finite_loss", message="The loss of step 3 is not finite.", items=["pair-7"])
            sys.exit(4)
        if step == int(acts.get("crash", 0)) and once(out, "crash"):
            os._exit(1)
        if step == int(acts.get("kill", 0)) and once(out, "kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if "always" in acts:
            raise SystemExit(f"crashed with {len(ballast)} bytes")
        say("step", step=step, loss=1 / step, epoch=0)
        write(state, json.dumps({"step": step}))
    say("validated", step=steps, loss=0.5)
    metric = {"target": "helpfulness", "figure": "agreement", "part": "test", "tag": None, "value": 0.7, "low": 0.6}
    metrics = [metric | {"high": 0.8, "n": 200, "clusters": 60, "baseline": 0.5, "note": ""}]
    if "metrics" in acts:
        metrics[0]["value"] = float("nan")
    write(out / "metrics.json", json.dumps(metrics))
    write(out / "preflight.json", "{}")
    write(out / "predictions.parquet", "PAR1")
    write(out / "model" / "model.json", json.dumps({"kind": "reward", "from_step": begin}))
    (out / "model" / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    write(out / "model" / "README.md", "# A model")
    if "pickle" in acts:
        write(out / "model" / "model.pt", "no")
    say("done", metrics=metrics)


if __name__ == "__main__":
    main()
