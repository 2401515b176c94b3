"""What the supervisor gives up before it runs the first program, for good.

`confine(plan)` in order: private namespaces (users, mounts, processes, network, IPC, host name), a file system that
holds Python and its libraries read-only and one small writable tmpfs, an unprivileged user, no capabilities.
Returns what worked; the host decides whether that is enough.
"""

import os
import site
import sys
import sysconfig
from dataclasses import dataclass, field

from eval.sandbox import linux

BOX = "/box"
# Beside Python's own folders: shared libraries, and the time zone
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
_FIRST_USER = 2_000_000_000  # + the worker's process number: a user of its own for every worker
_INODES = 512  # files and folders that a program may make


@dataclass
class Confinement:
    """What holds in this process: `box` is the writable private folder (None: no writing at all)."""

    namespaces: bool = False
    landlock: int = 0
    own_user: bool = False
    box: str | None = None
    readable: list[str] = field(default_factory=list)


def library_folders(repository: str) -> list[str]:
    """Folders that Python and its packages are loaded from, outermost only; those inside the repository (an
    environment in it) besides, since the repository itself is hidden."""
    paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    paths += [
        os.path.join(sys.base_prefix, "lib"),
        *(p for p in sys.path if p and p.endswith("-packages")),
        *_SYSTEM,
    ]
    # The system's Python has the prefix /usr, which holds much else: also this project, where it was put there.
    paths += [p for p in sys.path if is_within(p, sys.base_prefix) and p != repository]
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())

    found = {os.path.abspath(path) for path in paths if path and os.path.exists(path)}
    inside = {path for path in found if is_within(path, repository)}
    return _outermost(found - inside) + _outermost(inside)


def _outermost(paths: set[str]) -> list[str]:
    """Those that lie in no other one."""
    # Shortest first, so that a folder comes before what is in it.
    kept: list[str] = []
    for path in sorted(paths, key=lambda path: (len(path), path)):
        if not any(is_within(path, folder) for folder in kept):
            kept.append(path)
    return kept


def is_within(path: str, folder: str) -> bool:
    """Whether a path is the folder or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def unshare_namespaces() -> bool:
    """Enter new namespaces; the caller must fork to enter the one of processes. False where none are offered."""
    private = linux.NEWNS | linux.NEWPID | linux.NEWNET | linux.NEWIPC | linux.NEWUTS
    uid, gid = os.getuid(), os.getgid()

    if uid == 0:
        try:
            linux.unshare(private)
            return True
        except OSError:
            pass  # root of a container without CAP_SYS_ADMIN: try as an ordinary user would
    try:
        linux.unshare(linux.NEWUSER | private)
    except OSError:
        return False

    # The kernel wants setgroups denied before it takes a map of groups from an ordinary user.
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)
    return True


def build_root(folders: list[str], repository: str, disk_mb: int) -> None:
    """Make a file system of these folders, read-only, and the writable BOX, and enter it. Needs the namespaces.

    A repository that lies in one of the folders is covered by an empty one.
    """
    # No mount of ours shall reach the host.
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    # Links lead nowhere once the root is another.
    real = {path: os.path.realpath(path) for path in folders}

    # An empty outer root, with the host's at /old, in which the inner one is built at /new
    base = "/tmp" if os.path.isdir("/tmp") else "/var"
    linux.mount("tmpfs", base, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=0755")
    os.mkdir(base + "/old")
    linux.pivot_root(base, base + "/old")
    os.chdir("/")

    os.mkdir("/new", 0o755)
    linux.mount("tmpfs", "/new", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=0755")
    outer = [path for path in folders if not is_within(path, repository)]
    for path in outer:
        _bind("/old" + real[path], "/new" + path)
    covered = any(is_within(repository, path) for path in outer)
    if covered:
        cover = linux.MS_NOSUID | linux.MS_NODEV
        linux.mount("tmpfs", "/new" + repository, "tmpfs", cover, "size=1m,mode=0755")
    for path in folders:
        if path not in outer:
            _bind("/old" + real[path], "/new" + path)
    if covered:
        read_only = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY
        linux.mount("none", "/new" + repository, None, read_only | linux.MS_NOSUID | linux.MS_NODEV)

    os.mkdir("/new" + BOX, 0o755)
    options = f"size={disk_mb}m,nr_inodes={_INODES},mode=0777"
    no_programs = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("tmpfs", "/new" + BOX, "tmpfs", no_programs, options)

    # Now that all is in place, the inner root is read-only; mounts in it keep their own flags.
    read_only = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY
    linux.mount("none", "/new", None, read_only | linux.MS_NOSUID | linux.MS_NODEV)

    # Enter it, and let go of the host's root and of the outer one.
    linux.unmount("/old")
    linux.pivot_root("/new", "/new" + BOX)
    os.chdir("/")
    linux.unmount(BOX)  # the emptied outer root lay on top of the box
    os.chdir(BOX)


def _bind(source: str, target: str) -> None:
    """Mount a folder or file of the host read-only."""
    if os.path.isdir(source):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o444))

    # A bind takes no flags of its own: it is remounted with them. What the host's mount forbids must be repeated, or
    # the kernel refuses.
    linux.mount(source, target, None, linux.MS_BIND | linux.MS_REC)
    kept = os.statvfs(target).f_flag & (linux.MS_NODEV | linux.MS_NOEXEC | linux.MS_NOSUID)
    flags = (
        linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV | kept
    )
    linux.mount("none", target, None, flags)


def drop_privileges(readable_by_all: bool, number: int) -> bool:
    """Become the unprivileged user `number` where we are root, without capabilities. True when that worked."""
    changed = False
    if os.getuid() == 0 and readable_by_all:
        try:
            os.setgroups([])
            user = _FIRST_USER + number
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            changed = True
        except OSError:
            pass  # a namespace that knows no second user: root without capabilities, in a file system of its own

    # After the change of user, which needs capabilities and resets whether the process is dumpable.
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    return changed


def readable_by_others(folders: list[str]) -> bool:
    """Whether a user without rights reaches these folders (a Python below /root is not reached)."""
    for folder in folders:
        path = folder
        while path != "/":
            if not os.stat(path).st_mode & (0o001 if os.path.isdir(path) else 0o004):
                return False
            path = os.path.dirname(path)
    return True
