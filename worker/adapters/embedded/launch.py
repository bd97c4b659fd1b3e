"""The moment between our fork and their program: drop privileges, ask to die with the parent,
become the program.

Run by its path as `python -I -S launch.py SIGNAL UID GID PROGRAM ARGUMENT...`; UID 0 keeps the user
as it is. It ends in `exec`, so the process id stays the one that the parent knows. It is a program
of its own and not a `preexec_fn`, because Python cannot safely run code in a child that it forked
from a process with threads.

Linux only: the kernel sends SIGNAL when the *thread* that started us ends (prctl(2),
PR_SET_PDEATHSIG), which is why `processes` keeps one thread alive for each child. Elsewhere a
killed parent leaves its children behind, and the next start on the same data ends them.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    death_signal, uid, gid = (int(argument) for argument in arguments[:3])
    program = arguments[3:]
    if uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # after setuid, which clears it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)
    os.execv(program[0], program)  # noqa: S606 - becoming the given program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
