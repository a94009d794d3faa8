"""command_line_test.py GPULSE: what the program says to those who ask it wrongly: the exit code tells
usage (2) from input (3) and operation (1), and the message says what was found and what to do."""

import os
import pathlib
import subprocess
import sys
import tempfile

GPULSE = pathlib.Path(sys.argv[1]).resolve()
HEADER = b"        Date        , GPU Temperature [\xb0C] ,\r\n"
ROW = b"2023-06-16 10:17:08 ,   63.0   ,\r\n"


def gpulse(*arguments, folder):
    return subprocess.run([GPULSE, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)


def prepare(folder):
    (folder / "log.txt").write_bytes(HEADER + ROW)
    (folder / "letter.txt").write_bytes(b"Dear Sir,\r\nyour card is too hot.\r\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "bad.toml").write_bytes(b"[[rules]]\nmetric = 1\n")
    (folder / "folder").mkdir()
    (folder / "unreadable.txt").write_bytes(HEADER + ROW)
    (folder / "unreadable.txt").chmod(0)


# Arguments, exit code, and words of the message.
CASES = [
    ([], 2, ["run", "inspect", "generate"]),
    (["fly"], 2, ["fly"]),
    (["stream"], 2, ["stream is not in this build"]),
    (["run", "--port", "x"], 2, ["--port"]),
    (["run", "log.txt", "--timezone", "Mars/Olympus", "--data", "d"], 2, ["Mars/Olympus"]),
    (["run", "log.txt", "--replay", "fast", "--data", "d"], 2, ["fast", "from 1 to 1000000"]),
    (["run", "log.txt", "--loop", "--data", "d"], 2, ["--loop", "--replay"]),
    (["run", "log.txt", "--replay", "max", "--loop", "--data", "d"], 2, ["--loop", "give a speed"]),
    (["run", "log.txt", "--replay", "2", "--loop", "--keep-time", "--data", "d"], 2, ["nothing new"]),
    (["run", "--replay", "2", "--data", "d"], 2, ["needs a log"]),
    (["run", "log.txt", "log.txt", "--data", "d"], 2, ["log.txt is named twice"]),
    (["run", "log.txt", "--gpu", "a", "--gpu", "b", "--data", "d"], 2, ["--gpu"]),
    (["run", "log.txt", "--keep", "soon", "--data", "d"], 2, ["--keep", "soon"]),
    (["run", "log.txt", "--keep-size", "3 apples", "--data", "d"], 2, ["500MB"]),
    (["run", "log.txt", "--config", "none.toml", "--data", "d"], 2, ["none.toml"]),
    (["run", "log.txt", "--config", "bad.toml", "--data", "d"], 2, ["bad.toml:2", "metric"]),
    (["run", "log.txt", "--listen", "0.0.0.0", "--port", "0", "--data", "d"], 2, ["--token-file"]),
    (["run", "letter.txt", "--data", "d"], 3, ["letter.txt", "Dear Sir"]),
    (["run", "folder", "--data", "d"], 3, ["folder"]),
    (["verify"], 2, ["LOG"]),
    (["verify", "none.txt", "--data", "d"], 3, ["none.txt", "there is no file"]),
    (["verify", "letter.txt", "--data", "d"], 3, ["letter.txt", "Dear Sir"]),
    (["verify", "empty.txt", "--data", "d"], 3, ["empty.txt"]),
    (["verify", "log.txt", "--kafka", "kafka://127.0.0.1:9092"], 2, ["its topic is missing"]),
    (["verify", "log.txt", "--influxdb", "influxdb://127.0.0.1:8086/a/b?version=1"], 2, ["InfluxDB 2"]),
    (["verify", "log.txt", "--data", "none"], 1, ["ledger could not be compared"]),
    (["inspect"], 2, ["LOG"]),
    (["inspect", "none.txt"], 3, ["none.txt", "there is no file"]),
    (["inspect", "folder"], 3, ["folder"]),
    (["inspect", "letter.txt"], 3, ["letter.txt", "Dear Sir"]),
    (["inspect", "empty.txt"], 3, ["empty.txt"]),
    (["inspect", "log.txt", "--timezone", "CET+"], 2, ["CET+"]),
    (["generate", "--scenario", "flood"], 2, ["flood", "gaming"]),
    (["generate", "--out", "folder/none/out.txt"], 1, ["out.txt"]),
]


def check(arguments, code, words, folder):
    done = gpulse(*arguments, folder=folder)
    said = done.stderr
    call = "gpulse " + " ".join(arguments)
    assert done.returncode == code, f"{call}: exit {done.returncode}, not {code}: {said}"
    for word in words:
        assert word.lower() in said.lower(), f"{call}: no {word!r} in: {said}"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(folder)
        cases = list(CASES)
        if os.geteuid() == 0:
            print("SKIPPED: a file that may not be read: root may read all")
        else:
            cases.append((["inspect", "unreadable.txt"], 3, ["unreadable.txt", "permission"]))
        failed = 0
        for arguments, code, words in cases:
            try:
                check(arguments, code, words, folder)
            except AssertionError as error:
                failed += 1
                print(error)
        done = gpulse("inspect", "log.txt", folder=folder)
        assert done.returncode == 0 and done.stderr == "", done
    print(f"command_line: {len(cases) - failed} of {len(cases)} passed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
