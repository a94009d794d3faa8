#!/usr/bin/env python3
"""inspect --json of gpulse.exe is that of Linux' gpulse, byte for byte: of the real logs and of made ones.

    inspect_test.py GPULSE     (build/windows/run/gpulse; Linux' is build/release/src/cli/gpulse)
"""
import os
import pathlib
import subprocess
import sys
import tempfile

WINDOWS = pathlib.Path(sys.argv[1]).resolve()
LINUX = WINDOWS.parents[2] / "release" / "src" / "cli" / "gpulse"
MADE = [("nvidia", "gaming", "byte"), ("amd", "dust", "utf8"), ("intel", "idle", "none"), ("old", "restarts", "korean")]


def run(program, *words):
    return subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.PIPE).stdout


def main():
    assert LINUX.is_file(), f"there is no {LINUX}: setup/build.sh release gpulse"
    real = pathlib.Path(os.environ.get("GPULSE_REAL_LOGS", ""))
    logs = sorted(real.glob("*.txt")) if os.environ.get("GPULSE_REAL_LOGS") else []
    if not logs:
        print("REAL LOGS NOT THERE: skipped (GPULSE_REAL_LOGS names no folder)")
    passed = 0
    with tempfile.TemporaryDirectory(prefix="gpulse-inspect-") as folder:
        for seed, (columns, scenario, degree) in enumerate(MADE):
            log = pathlib.Path(folder) / f"{columns} Größe 温.txt"
            words = ["generate", "--seed", seed, "--rows", 5000, "--columns", columns, "--scenario", scenario,
                     "--degree", degree, "--start", "2024-03-30 20:00:00"]
            made = run(LINUX, *words)
            assert run(WINDOWS, *words) == made, f"generate {columns} {scenario}: another log than on Linux"
            log.write_bytes(made)
            logs.append(log)
        for log in logs:
            words = ["inspect", "--json", "--timezone", "Europe/Berlin", log]
            expected, found = run(LINUX, *words), run(WINDOWS, *words)
            assert found == expected, f"{log.name}: {found[:300]!r} is not {expected[:300]!r}"
            passed += 1
    print(f"inspect on Windows: {passed} of {len(logs)} passed")


if __name__ == "__main__":
    main()
