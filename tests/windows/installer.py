#!/usr/bin/env python3
"""The installer under Wine: installs for this user, the program that it installed follows a live log, and
the uninstaller leaves the readings unless told.

    installer.py PACKAGE_FOLDER     (build/windows/package)
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "follow")]
from program import HEADER, Program, row, run_all, wait_until  # noqa: E402

PACKAGE = pathlib.Path(sys.argv[1]).resolve()
WINE = HERE / "wine.sh"
# A Windows of its own, which nothing was installed in.
PREFIX = pathlib.Path(tempfile.mkdtemp(prefix="gpulse-installer-"))
os.environ["GPULSE_WINEPREFIX"] = str(PREFIX / "wine")


def local():
    return next((PREFIX / "wine" / "drive_c" / "users").glob("[!P]*/AppData/Local"))


def roaming(name):
    return next((PREFIX / "wine" / "drive_c" / "users").glob(f"[!P]*/AppData/Roaming/Microsoft/Windows/Start Menu/{name}"),
                None)


def wine(*words):
    subprocess.run([WINE, *map(str, words)], check=True, timeout=120, stdout=subprocess.DEVNULL)


def install(*words):
    wine(next(PACKAGE.glob("*-setup.exe")), "/S", *words)
    return local() / "Programs" / "gpulse"


def uninstall(installed, *words):
    wine(installed / "uninstall.exe", "/S", *words)
    wait_until("the program's folder is gone", lambda: not installed.exists(), 60)


def from_setup_to_a_live_log_and_away_again(folder):
    installed = install()
    names = {file.name for file in installed.iterdir()}
    assert names == {"gpulse.exe", "README.txt", "LICENSE.txt", "THIRD-PARTY.txt", "uninstall.exe"}, names
    assert roaming("Programs/gpulse.lnk") and not roaming("Programs/StartUp/gpulse.lnk")
    run = folder / "gpulse"
    run.write_text(f"#!/bin/sh\nexec '{WINE}' '{installed / 'gpulse.exe'}' \"$@\"\n")
    run.chmod(0o755)
    log = folder / "log.txt"
    log.write_bytes(HEADER + row(0))
    kept = local() / "gpulse"
    with Program(run, folder, log, data=kept) as program:
        for mark in range(1, 4):
            program.expect("log", range(mark))
            with log.open("ab") as file:
                file.write(row(mark))
        program.expect("log", range(4))
    uninstall(installed)
    assert (kept / "ledger.db").is_file(), "the readings went with the program"
    assert not roaming("Programs/gpulse.lnk")
    uninstall(install("/AUTOSTART"), "/REMOVEDATA")
    wait_until("the readings are gone", lambda: not kept.exists(), 60)


def start_at_log_on_is_asked_for(_):
    installed = install("/AUTOSTART")
    assert roaming("Programs/StartUp/gpulse.lnk")
    install()
    assert roaming("Programs/StartUp/gpulse.lnk"), "an update forgot what was asked"
    uninstall(installed)
    assert not roaming("Programs/StartUp/gpulse.lnk")


if __name__ == "__main__":
    try:
        code = run_all("installer", [from_setup_to_a_live_log_and_away_again, start_at_log_on_is_asked_for], workers=1)
    finally:
        shutil.rmtree(PREFIX, ignore_errors=True)
    sys.exit(code)
