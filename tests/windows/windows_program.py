"""A Windows program that writes logs, beside gpulse.exe in the same Wine."""
import pathlib
import subprocess


class WindowsWriter:
    """tests/windows/log_writer.cpp: a writer with Windows' calls and sharing."""

    def __init__(self, writer):
        self.process = subprocess.Popen([writer], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def ask(self, line, data=b""):
        """None when it worked, else Windows' number of the error."""
        self.process.stdin.write(line.encode() + b"\n" + data)
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode().split()
        assert answer, f"the writer ended at {line!r}"
        return None if answer[0] == "ok" else int(answer[1])

    def tell(self, line, data=b""):
        error = self.ask(line, data)
        assert error is None, f"the writer was refused {line!r}: Windows error {error}"

    def open(self, path, sharing="r"):
        self.tell(f"open {sharing} {path}")

    def write(self, data):
        self.tell(f"write {len(data)}", data)

    def close(self):
        self.tell("close")


def writer_beside(gpulse):
    """Where the writer's runner stands: beside that of gpulse."""
    return pathlib.Path(gpulse).parent / "log_writer"
