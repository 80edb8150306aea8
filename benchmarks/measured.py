"""Run a command and print its wall seconds, processor seconds and peak memory in MB.

python -m benchmarks.measured COMMAND...

A process of its own and a small one, because Linux counts the memory of the process that starts
another to the other's peak.
"""

import os
import subprocess
import sys
import time


def main() -> None:
    started = time.perf_counter()
    child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
