"""Kernel calls that Python does not offer, through ctypes. Each raises OSError on failure. Linux only."""

import ctypes
import os

# Flags of unshare(2), from linux/sched.h
NEWNS = 0x00020000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

# Flags of mount(2) and umount2(2), from linux/mount.h
MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

# Options of prctl(2), from linux/prctl.h
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38

# Numbers of system calls that the C library does not wrap. Landlock's are the same on every architecture.
_SYS_CAPSET, _SYS_PIVOT_ROOT = {"x86_64": (126, 155), "aarch64": (91, 41)}.get(
    os.uname().machine, (None, None)
)
_SYS_LANDLOCK_CREATE = 444
_SYS_LANDLOCK_ADD = 445
_SYS_LANDLOCK_RESTRICT = 446

# Landlock access rights by the ABI that introduced them.
_FS_ALL = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
_FS_READ = (1 << 2) | (1 << 3)  # read files, list directories; no execution
_TCP, _SCOPES = 0b11, 0b11  # bind and connect (ABI 4); abstract sockets and signals (ABI 6)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, first: int = 0, second: int | ctypes.c_void_p = 0) -> None:
    _check(
        _libc.prctl(option, ctypes.c_ulong(first), second, ctypes.c_ulong(0), ctypes.c_ulong(0)),
        f"prctl {option}",
    )


def unshare(flags: int) -> None:
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    _check(
        _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]),
        f"mount {target}",
    )


def unmount(target: str) -> None:
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"unmount {target}")


def pivot_root(new: str, old: str) -> None:
    if _SYS_PIVOT_ROOT is None:
        raise OSError(f"pivot_root is not known on {os.uname().machine}")
    _check(
        _libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT), os.fsencode(new), os.fsencode(old)),
        "pivot_root",
    )


def drop_capabilities() -> None:
    """Give up every capability for good (bounding, permitted, effective, inheritable)."""
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last capability, or none are held: then there is nothing to drop
            break
    if _SYS_CAPSET is not None:
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        _check(_libc.syscall(ctypes.c_long(_SYS_CAPSET), header, (ctypes.c_uint32 * 6)()), "capset")


def landlock_abi() -> int:
    """Version of Landlock that the kernel offers; 0: none."""
    version = _libc.syscall(
        ctypes.c_long(_SYS_LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(1)
    )
    return max(0, version)


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("fd", ctypes.c_int32))


def landlock_ruleset(readable: list[str], writable: list[str]) -> int:
    """File descriptor of a ruleset: nothing may be opened but beneath these folders, no TCP, no signals out."""
    abi = landlock_abi()
    everything = sum(bits for since, bits in _FS_ALL.items() if since <= abi)
    attributes = _RulesetAttributes(everything, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _check(
        _libc.syscall(
            ctypes.c_long(_SYS_LANDLOCK_CREATE), ctypes.byref(attributes), ctypes.c_size_t(size), 0
        ),
        "landlock_create_ruleset",
    )
    os.set_inheritable(ruleset, False)
    # A writable folder gets all but executing, and no device, socket or fifo nodes (bits 0 and 6 to 11 without 7, 8).
    changeable = everything & ~((1 << 0) | (1 << 6) | (1 << 9) | (1 << 10) | (1 << 11)) & ~(1 << 15)
    for paths, access in ((readable, _FS_READ), (writable, changeable)):
        for path in paths:
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = _PathBeneath(access if os.path.isdir(path) else access & (1 << 2), folder)
            added = _libc.syscall(
                ctypes.c_long(_SYS_LANDLOCK_ADD), ruleset, 1, ctypes.byref(rule), 0
            )
            os.close(folder)
            _check(added, f"landlock rule for {path}")
    return ruleset


def landlock_restrict(ruleset: int) -> None:
    """Apply a ruleset to this process for good. Needs no_new_privs."""
    _check(
        _libc.syscall(ctypes.c_long(_SYS_LANDLOCK_RESTRICT), ruleset, 0), "landlock_restrict_self"
    )
