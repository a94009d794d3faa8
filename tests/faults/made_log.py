"""A log for fault tests: the program's own generator, with damage put in."""
import pathlib
import random
import subprocess

GARBAGE = [b"garbage\r\n", b"2026-01-01 , 1 , 2 ,\r\n", b",,,,\n", b"   \r\n", b"\0" * 700,
           b"2026-01-01 10:00:00 , 1 ,\r\n"]


def make(program, path, seed, rows):
    """Sessions, gaps, a heading with other columns, absent readings, garbage and NULs; by seed. Its last
    line is whole."""
    path = pathlib.Path(path)
    dice = random.Random(seed)
    start = dice.choice(("2024-10-26 22:30:00", "2025-03-30 00:30:00", "2026-01-01 10:00:00"))
    parts = []
    for number, (columns, scenarios) in enumerate((("nvidia", ["gaming", "restarts", "thermal-throttle"]),
                                                   ("amd", ["mixed", "gaps"]))):
        part = path.with_suffix(f".part{number}")
        arguments = [argument for scenario in scenarios for argument in ("--scenario", scenario)]
        subprocess.run([program, "generate", *arguments, "--columns", columns, "--rows",
                        str(rows * (2 - number) // 3), "--seed", str(seed + number), "--start", start,
                        "--out", str(part)], check=True, capture_output=True)
        parts.append(damaged(part.read_bytes(), dice))
        part.unlink()
    path.write_bytes(b"".join(parts))
    return path


def damaged(content, dice):
    lines = content.splitlines(keepends=True)
    spared = 2  # the heading and the row that give a log its identity
    for _ in range(max(6, len(lines) // 200)):
        at = dice.randrange(spared, len(lines))
        kind = dice.random()
        if kind < 0.5:
            cells = lines[at].split(b",")
            for _ in range(dice.randrange(1, 4)):
                cells[dice.randrange(1, len(cells) - 1)] = dice.choice((b"     -     ", b"    n/a    "))
            lines[at] = b",".join(cells)
        elif kind < 0.9:
            lines[at] = dice.choice(GARBAGE) + lines[at]
        else:
            lines[at] = lines[at].replace(b"\r\n", b"\n")
    return b"".join(lines)


def pieces(content, dice):
    """The log as a writer might append it: from single bytes to far more than the program reads at once."""
    at = 0
    while at < len(content):
        size = dice.choice((1, 30, 700, 700, 5_000, 5_000, 40_000, 40_000, 300_000))
        size = dice.randrange(1, size + 1)
        yield content[at:at + size]
        at += size
