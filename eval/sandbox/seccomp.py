"""The filter of system calls: what a computing Python program needs is allowed, all else fails with EPERM.

Written by hand as classic BPF (no libseccomp). Only for x86-64: on other machines there is no filter, and the
sandbox counts as weak.
"""

import ctypes
import errno
import os
import signal

from eval.sandbox import linux

_ARCHITECTURE = 0xC000003E  # AUDIT_ARCH_X86_64

# Verdicts of the filter (linux/seccomp.h); an error number is added to _ERRNO
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

# Instructions of classic BPF (linux/bpf_common.h): load a word, conditional jumps, return, jump
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN, _JUMP = 0x20, 0x15, 0x35, 0x45, 0x06, 0x05
_LEAVE = -1  # a jump whose distance is not known yet

# Offsets in struct seccomp_data, which the filter reads
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16
_CLONE_THREAD = 0x10000

# Numbers of arch/x86/entry/syscalls/syscall_64.tbl.
_ALLOWED = {
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
    "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21, "pipe": 22, "select": 23,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "dup2": 33, "pause": 34, "nanosleep": 35,
    "getitimer": 36, "alarm": 37, "setitimer": 38, "getpid": 39, "shutdown": 48, "exit": 60, "wait4": 61,
    "uname": 63, "flock": 73, "fsync": 74, "fdatasync": 75, "truncate": 76, "ftruncate": 77, "getdents": 78,
    "getcwd": 79, "chdir": 80, "fchdir": 81, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "unlink": 87,
    "readlink": 89, "umask": 95, "gettimeofday": 96, "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "times": 100,
    "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "getpgrp": 111, "getgroups": 115,
    "getresuid": 118, "getresgid": 120, "sigaltstack": 131, "statfs": 137, "fstatfs": 138, "arch_prctl": 158,
    "gettid": 186, "time": 201, "futex": 202, "sched_getaffinity": 204, "getdents64": 217, "set_tid_address": 218,
    "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230,
    "exit_group": 231, "epoll_wait": 232, "epoll_ctl": 233, "openat": 257, "open": 2, "mkdirat": 258,
    "newfstatat": 262, "unlinkat": 263, "renameat": 264, "readlinkat": 267, "faccessat": 269, "pselect6": 270,
    "ppoll": 271, "set_robust_list": 273, "get_robust_list": 274, "epoll_pwait": 281, "fallocate": 285,
    "eventfd2": 290, "epoll_create1": 291, "dup3": 292, "pipe2": 293, "preadv": 295, "pwritev": 296, "getcpu": 309,
    "renameat2": 316, "getrandom": 318, "membarrier": 324, "statx": 332, "rseq": 334, "close_range": 436,
    "faccessat2": 439, "recvfrom": 45,
}  # fmt: skip

# Calls that are allowed with some arguments only
_CLONE, _CLONE3 = 56, 435
_IOCTL, _FCNTL = 16, 72
_PRLIMIT, _TGKILL = 302, 234
_SOCKETPAIR, _SENDTO = 53, 44

_IOCTLS = (
    0x5401,
    0x5413,
    0x541B,
    0x5421,
    0x5450,
    0x5451,
)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO(N)CLEX
_FCNTLS = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    1030,
    1032,
)  # duplicate, flags, locks, F_DUPFD_CLOEXEC, F_GETPIPE_SZ


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction)))


def available() -> bool:
    """Whether this machine has a filter and the kernel takes one."""
    if os.uname().machine != "x86_64" or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False

    # A null filter: EFAULT where filters are known
    try:
        linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.c_void_p(0))
    except OSError as error:
        return error.errno == errno.EFAULT
    return False


def _argument(index: int, high: bool = False) -> int:
    """Offset of an argument's lower half; arguments have 64 bits, and the filter reads 32."""
    return _FIRST_ARGUMENT + 8 * index + (4 if high else 0)


class Filter:
    """The compiled filter; `install(threads)` in the process that it shall bind, after no_new_privs."""

    def __init__(self, threads: bool) -> None:
        self._code: list[tuple[int, int, int, int]] = []
        self._pid_at = 0
        self._build(threads)
        self._array = (_Instruction * len(self._code))(
            *(_Instruction(*line) for line in self._code)
        )
        self._program = _Program(len(self._code), self._array)

    def install(self) -> None:
        """Bind this process and all its threads-to-be. Signals to itself are allowed by its own number."""
        self._array[self._pid_at].k = os.getpid()
        linux.prctl(
            linux.PR_SET_SECCOMP, 2, ctypes.cast(ctypes.byref(self._program), ctypes.c_void_p)
        )

    def _emit(self, code: int, k: int, yes: int = 0, no: int = 0) -> None:
        self._code.append((code, yes, no, k))

    def _return_if(self, code: int, k: int, action: int, when: bool = True) -> None:
        self._emit(code, k, *((0, 1) if when else (1, 0)))
        self._emit(_RETURN, action)

    def _build(self, threads: bool) -> None:
        # Numbers mean something else for other architectures, and those of the x32 calls are not in our table.
        self._emit(_LOAD, _ARCH)
        self._return_if(_EQUAL, _ARCHITECTURE, _KILL, when=False)
        self._emit(_LOAD, _NUMBER)
        self._return_if(_GREATER_EQUAL, 0x40000000, _KILL)

        self._allow_listed()

        # Threads, never processes. Told that clone3 is missing, glibc uses clone, whose flags can be seen.
        self._return_if(_EQUAL, _CLONE3, _ERRNO | errno.ENOSYS)
        if threads:
            self._case(_CLONE, [(_argument(0), _ANY_BIT, (_CLONE_THREAD,))])

        self._case(_IOCTL, [(_argument(1), _EQUAL, _IOCTLS)])
        self._case(_FCNTL, [(_argument(1), _EQUAL, _FCNTLS)])

        # Reading its own limits: of process 0 (itself), with no new value
        self._case(_PRLIMIT, [(_argument(0), _EQUAL, (0,)), *self._null(2)])

        # What asyncio needs: a pair of AF_UNIX sockets, and sending without an address; no names, no network
        self._case(_SOCKETPAIR, [(_argument(0), _EQUAL, (1,))])
        self._case(_SENDTO, self._null(4))

        # abort() of the process itself, whose number is filled in when the filter is installed
        own_process = (_argument(0), _EQUAL, (0,))
        self._case(_TGKILL, [own_process, (_argument(2), _EQUAL, (signal.SIGABRT,))], pid=True)

        self._emit(_RETURN, _ERRNO | errno.EPERM)

    def _allow_listed(self) -> None:
        """Return ALLOW for the listed calls by binary search over runs of numbers; the kernel tries the filter on
        every call number when it is installed, so a long chain of comparisons would cost each program a millisecond."""
        runs: list[list[int]] = []
        for number in sorted(_ALLOWED.values()):
            if runs and number == runs[-1][1]:
                runs[-1][1] += 1
            else:
                runs.append([number, number + 1])

        # A number with an odd number of bounds at or below it is inside a run.
        bounds = [edge for run in runs for edge in run]
        tree = self._search(bounds, allowed=False)
        leave = ((_JUMP, 0, 0, len(tree) - index - 1) for index in range(len(tree)))
        self._code += [
            jump if line[0] == _LEAVE else line for line, jump in zip(tree, leave, strict=True)
        ]

    def _search(self, bounds: list[int], allowed: bool) -> list[tuple[int, int, int, int]]:
        """Code that decides a call number between the neighbours of `bounds`; not allowed falls off its end."""
        if not bounds:
            # A number that is not listed goes on behind the whole search, to the calls with conditions.
            return [(_RETURN if allowed else _LEAVE, 0, 0, _ALLOW)]
        middle = len(bounds) // 2
        below = self._search(bounds[:middle], allowed)
        above = self._search(bounds[middle + 1 :], allowed ^ (middle % 2 == 0))
        return [(_GREATER_EQUAL, 0, 1, bounds[middle]), (_JUMP, 0, 0, len(below)), *below, *above]

    @staticmethod
    def _null(index: int) -> list[tuple[int, int, tuple[int, ...]]]:
        return [(_argument(index), _EQUAL, (0,)), (_argument(index, high=True), _EQUAL, (0,))]

    def _case(
        self, number: int, conditions: list[tuple[int, int, tuple[int, ...]]], pid: bool = False
    ) -> None:
        """Allow call `number` when every condition (offset, test, one of these values) holds; else EPERM."""
        # Each condition is a load, its tests and a refusal; the permission stands behind them all.
        lengths = [2 + len(values) for _, _, values in conditions]
        body = sum(lengths) + 1
        self._emit(_EQUAL, number, 0, body)

        # The process's own number is known later and is written into the first test.
        if pid:
            self._pid_at = len(self._code) + 1

        for offset, test, values in conditions:
            self._emit(_LOAD, offset)

            # A test that holds jumps over the tests left and the refusal.
            for index, value in enumerate(values):
                tests_left = len(values) - index
                self._emit(test, value, tests_left, 0)
            self._emit(_RETURN, _ERRNO | errno.EPERM)

        self._emit(_RETURN, _ALLOW)
