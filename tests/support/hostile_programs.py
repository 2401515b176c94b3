"""Programs that try to get out of the sandbox. Each prints BREACH when it reached something it must not.

HOSTPID, PORT and FOLDER are set in front of each: the host's process, a listening port, a folder with a secret.
Used by eval/test_sandbox and, as root and as an ordinary user, by benchmarks/sandbox.py.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eval.sandbox import Sandbox

CANARY = "CANARY-7d1f"


@contextmanager
def host(folder: Path) -> Iterator[dict]:
    """Things on the host that no program may reach: a secret file, an open folder, a variable, a listening port."""
    folder.chmod(0o755)
    (folder / "secret.txt").write_text(CANARY)
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    os.environ["SECRET_OF_HOST"] = CANARY
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield {"HOSTPID": os.getpid(), "PORT": server.getsockname()[1], "FOLDER": str(folder)}
    del os.environ["SECRET_OF_HOST"]


def failure(sandbox: Sandbox, facts: dict, program: str) -> str | None:
    """Run a program of REFUSED; what it reached or left, None where it reached nothing."""
    run = sandbox.run(
        "\n".join(f"{key} = {value!r}" for key, value in facts.items()) + "\n" + program
    )
    folder = Path(facts["FOLDER"])
    if "BREACH" in run.stdout or CANARY in run.stdout + run.stderr:
        return f"it reached something: {run}"
    if (folder / "secret.txt").read_text() != CANARY or os.listdir(folder / "open"):
        return "it changed a file of the host"
    if any(
        name.startswith("escaped")
        for place in ("/tmp", "/var/tmp", "/dev/shm")
        for name in os.listdir(place)
    ):
        return "it left a file on the host"
    return not_fresh(sandbox)


def not_fresh(sandbox: Sandbox) -> str | None:
    """What the next program finds changed."""
    after = sandbox.run("import os, math\nprint(math.sqrt(4), os.listdir('.'))")
    return (
        None
        if (after.status, after.stdout) == ("ok", "2.0 []\n")
        else f"the next program finds: {after}"
    )


def _attempt(body: str) -> str:
    """The body, with any refusal swallowed: only success may print."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return (
        f"try:\n{lines}\nexcept BaseException as error:\n    print('refused', type(error).__name__)"
    )


_CTYPES = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"

REFUSED = {
    name: _attempt(body)
    for name, body in {
        # files
        "read the secret": "print(open(FOLDER + '/secret.txt').read())",
        "read passwd": "open('/etc/passwd').read(); print('BREACH')",
        "read shadow": "open('/etc/shadow').read(); print('BREACH')",
        "list the root": "import os\nprint('BREACH', [n for n in os.listdir('/') if n in ('boot', 'home', 'proc')][0])",
        "list home": "import os\nos.listdir('/root' if os.getuid() == 0 else '/home'); print('BREACH')",
        "list the host's folder": "import os\nos.listdir(FOLDER); print('BREACH')",
        "write beside the secret": "open(FOLDER + '/open/x', 'w').write('x'); print('BREACH')",
        "write to tmp": "open('/tmp/escaped', 'w').write('x'); print('BREACH')",
        "write to var tmp": "open('/var/tmp/escaped', 'w').write('x'); print('BREACH')",
        "write to dev shm": "open('/dev/shm/escaped', 'w').write('x'); print('BREACH')",
        "climb out of the folder": "open('../../../..' + FOLDER + '/secret.txt').read(); print('BREACH')",
        "follow a link to the secret": (
            "import os\nos.symlink(FOLDER + '/secret.txt', 'l')\nopen('l').read(); print('BREACH')"
        ),
        "link the secret hard": "import os\nos.link(FOLDER + '/secret.txt', 'l'); print('BREACH')",
        "change the library": "import os\nopen(os.__file__, 'a').write('#'); print('BREACH')",
        "delete the library": "import os, json\nos.unlink(json.__file__); print('BREACH')",
        "leave a module for the next": (
            "import site\nfor p in site.getsitepackages():\n    open(p + '/sitecustomize.py', 'w').write('x'); print('BREACH')"
        ),
        "open a device": "open('/dev/sda', 'rb').read(1); print('BREACH')",
        "open kernel memory": "open('/dev/mem', 'rb').read(1); print('BREACH')",
        "make a device": "import os, stat\nos.mknod('d', 0o600 | stat.S_IFBLK, os.makedev(8, 0)); print('BREACH')",
        "make a fifo": "import os\nos.mkfifo('f'); print('BREACH')",
        "change the root": "import os\nos.chroot('.'); print('BREACH')",
        "change a mode": "import os\nopen('f', 'w').close(); os.chmod('f', 0o4777); print('BREACH')",
        "change an owner": "import os\nopen('f', 'w').close(); os.chown('f', 0, 0); print('BREACH')",
        "mount": _CTYPES
        + "r = libc.mount(b'none', b'/box', b'tmpfs', 0, None)\nprint('BREACH' if r == 0 else 'no')",
        # environment and processes
        "read the environment": (
            "import os\nprint(os.environ.get('SECRET_OF_HOST', 'no'), os.getenv('HOME', 'no'), dict(os.environb))"
        ),
        "read the environment of the parent": (
            "import os\nfor p in (1, os.getppid(), 'self', HOSTPID):\n    try:\n        print('BREACH', open(f'/proc/{p}/environ').read()[:9])\n    except OSError: pass"
        ),
        "read the environment from libc": (
            _CTYPES + "e = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, 'environ')\ni = 0\n"
            "while e and e[i]:\n    print(e[i].decode()); i += 1"
        ),
        "list processes": "import os\nprint('BREACH', [p for p in os.listdir('/proc') if p.isdigit()][0])",
        "read core pattern": "open('/proc/sys/kernel/core_pattern').read(); print('BREACH')",
        "kill the host": "import os\nos.kill(HOSTPID, 9); print('BREACH')",
        "probe the host": "import os\nos.kill(HOSTPID, 0); print('BREACH')",
        "kill the parent": "import os\nos.kill(os.getppid(), 9); print('BREACH')",
        "kill everything": "import os\nos.kill(-1, 9); print('BREACH')",
        "kill the group": "import os, signal\nos.killpg(0, signal.SIGKILL); print('BREACH')",
        "signal by thread": _CTYPES
        + "r = libc.syscall(234, HOSTPID, HOSTPID, 6)\nprint('BREACH' if r == 0 else 'no')",
        "signal the parent by thread": (
            _CTYPES
            + "r = libc.syscall(234, os.getppid(), os.getppid(), 6)\nprint('BREACH' if r == 0 else 'no')"
        ),
        "queue a signal": _CTYPES
        + "r = libc.sigqueue(HOSTPID, 10, 0)\nprint('BREACH' if r == 0 else 'no')",
        "open a pidfd": "import os\nos.pidfd_open(os.getppid()); print('BREACH')",
        "trace the parent": _CTYPES
        + "r = libc.ptrace(16, os.getppid(), 0, 0)\nprint('BREACH' if r == 0 else 'no')",
        "read the parent's memory": (
            _CTYPES
            + "r = libc.syscall(310, os.getppid(), None, 0, None, 0, 0)\nprint('BREACH' if r >= 0 else 'no')"
        ),
        "fork": "import os\npid = os.fork()\nprint('BREACH') if pid else os._exit(0)",
        "fork in a loop": "import os\nfor _ in range(5):\n    os.fork()\nprint('BREACH')",
        "vfork": _CTYPES + "r = libc.syscall(58)\nprint('BREACH' if r >= 0 else 'no')",
        "clone": _CTYPES
        + "r = libc.syscall(56, 17, 0, 0, 0, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "clone3": _CTYPES
        + "r = libc.syscall(435, (ctypes.c_uint64 * 11)(), 88)\nprint('BREACH' if r >= 0 else 'no')",
        "exec a shell": "import os\nos.execv('/bin/sh', ['sh', '-c', 'echo BREACH'])",
        "exec python": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'print(\"BREACH\")'])",
        "subprocess": "import subprocess\nprint(subprocess.check_output('echo BREACH', shell=True))",
        "os.system": "import os\nr = os.system ('echo BREACH')",
        "posix_spawn": "import os\nos.posix_spawn('/bin/echo', ['echo', 'BREACH'], {}); print('BREACH')",
        "multiprocessing": "import multiprocessing as m\nm.get_context('fork').Process(target=print).start(); print('BREACH')",
        "become root": "import os\nos.setuid(0); print('BREACH' if os.getuid() == 0 and os.listdir('/etc') else 'no')",
        "new user namespace": _CTYPES
        + "r = libc.unshare(0x10000000)\nprint('BREACH' if r == 0 else 'no')",
        "raise limits": "import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1)); print('BREACH')",
        "set a capability": _CTYPES
        + "r = libc.prctl(47, 2, 21, 0, 0)\nprint('BREACH' if r == 0 else 'no')",
        # network and other doors
        "connect to the host": "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1); print('BREACH')",
        "connect over IPv6": "import socket\nsocket.socket(socket.AF_INET6); print('BREACH')",
        "listen": "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print('BREACH')",
        "udp": "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM); print('BREACH')",
        "raw packets": "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW); print('BREACH')",
        "netlink": "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW); print('BREACH')",
        "abstract socket": "import socket\ns = socket.socket(socket.AF_UNIX); s.bind('\\0x'); print('BREACH')",
        "fetch a page": "import urllib.request\nurllib.request.urlopen('http://example.com', timeout=1); print('BREACH')",
        "write into inherited descriptors": (
            "import os\nfor fd in range(3, 256):\n    try:\n        os.write(fd, b'\\0' * 64); print('BREACH', fd)\n    except OSError: pass"
        ),
        "shared memory": _CTYPES
        + "r = libc.shmget(0, 4096, 0o1600)\nprint('BREACH' if r >= 0 else 'no')",
        "message queue": _CTYPES
        + "r = libc.msgget(77, 0o1600)\nprint('BREACH' if r >= 0 else 'no')",
        "memfd": "import os\nos.memfd_create('x'); print('BREACH')",
        "io_uring": _CTYPES
        + "r = libc.syscall(425, 1, None)\nprint('BREACH' if ctypes.get_errno() != 1 else 'no')",
        "bpf": _CTYPES
        + "r = libc.syscall(321, 0, None, 0)\nprint('BREACH' if ctypes.get_errno() != 1 else 'no')",
        "keyring": _CTYPES + "r = libc.syscall(250, 0, -3, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "userfaultfd": _CTYPES + "r = libc.syscall(323, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "push keys to the terminal": "import fcntl\nfcntl.ioctl(0, 0x5412, b'x'); print('BREACH')",
        "set the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0); print('BREACH')",
        "set the host's name": "import socket\nsocket.sethostname('x'); print('BREACH')",
        "lower the priority of others": "import os\nos.setpriority(os.PRIO_PGRP, 0, -5); print('BREACH')",
        "resolve a name": "import socket\nsocket.getaddrinfo('example.com', 80); print('BREACH')",
        "connect to docker": "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/docker.sock'); print('BREACH')",
        "other socket families": (
            "import socket\nfor family in (2, 10, 16, 17, 21, 26, 29, 31, 38, 40, 44):\n    for kind in (1, 2, 3, 5):\n"
            "        try: socket.socket(family, kind); print('BREACH', family, kind)\n        except OSError: pass"
        ),
        "pass a descriptor": (
            "import socket\na, b = socket.socketpair()\nsocket.send_fds(a, [b'x'], [1]); print('BREACH')"
        ),
        "calls that no program needs": _CTYPES
        + (
            "for n in (103, 128, 134, 139, 153, 155, 159, 161, 163, 165, 166, 167, 169, 170, 172, 173, 175, 176, 179, 246,\n"
            "          248, 249, 251, 253, 272, 278, 298, 300, 303, 304, 305, 308, 311, 312, 313, 317, 324 + 9, 424, 426,\n"
            "          427, 428, 429, 430, 432, 434, 438, 440, 442, 443, 444, 445, 446, 447, 448, 453, 462):\n"
            "    ctypes.set_errno(0)\n    r = libc.syscall(n, 0, 0, 0, 0, 0, 0)\n"
            "    if r >= 0 or ctypes.get_errno() != 1: print('BREACH', n, r, ctypes.get_errno())"
        ),
        "semaphores": _CTYPES
        + "r = libc.semget(0, 1, 0o1600)\nprint('BREACH' if r >= 0 else 'no')",
        "named queues": _CTYPES
        + "r = libc.syscall(240, b'q', 0o102, 0o600, None)\nprint('BREACH' if r >= 0 else 'no')",
        "shared memory by name": (
            "from multiprocessing import shared_memory as m\nm.SharedMemory('escaped', True, 4096); print('BREACH')"
        ),
        "a timer of the kernel": _CTYPES
        + (
            "t = ctypes.c_int()\nr = libc.syscall(222, 0, None, ctypes.byref(t))\nprint('BREACH' if r >= 0 else 'no')"
        ),
        "outlive the parent": _CTYPES
        + "r = libc.prctl(1, 0, 0, 0, 0)\nprint('BREACH' if r == 0 else 'no')",
        "allow core dumps": (
            _CTYPES + "r = libc.prctl(4, 1, 0, 0, 0)\nimport resource as s\n"
            "print('BREACH' if r == 0 else 'no'); s.setrlimit(s.RLIMIT_CORE, (-1, -1)); print('BREACH')"
        ),
        "limits of the parent": "import os, resource as r\nr.prlimit(os.getppid(), r.RLIMIT_CPU, (1, 1)); print('BREACH')",
        "real-time priority": (
            "import os\nos.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)); print('BREACH')"
        ),
        "choose cores": "import os\nos.sched_setaffinity(0, [0]); print('BREACH')",
        "stop itself": "import signal\nsignal.raise_signal(signal.SIGSTOP); print('BREACH')",
        "a session of its own": "import os\nos.setsid(); print('BREACH')",
        "a terminal": "import os, pty\npty.openpty(); print('BREACH')",
        "spawn in a terminal": "import pty\npty.fork(); print('BREACH')",
        "popen": "import os\nprint('BREACH' if os.popen('echo x').read() else 'no')",
        "install a package": "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'list'], check=True); print('BREACH')",
        "memory that nobody sees": _CTYPES
        + "r = libc.syscall(447, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "splice and friends": _CTYPES
        + (
            "a, b = os.pipe(); os.write(b, b'x'); c, d = os.pipe()\n"
            "for n in (275, 276, 278, 40):\n    r = libc.syscall(n, a, d, 1, 0, 0, 0)\n    if r > 0: print('BREACH', n)"
        ),
        "a pipe that holds much": "import fcntl, os\na, b = os.pipe()\nfcntl.fcntl(b, 1031, 1 << 20); print('BREACH')",
        "signals from a descriptor": "import fcntl, os\nfcntl.fcntl(0, fcntl.F_SETOWN, os.getppid()); print('BREACH')",
        "a lease on a library": "import fcntl, os\nf = open(os.__file__)\nfcntl.fcntl(f, fcntl.F_SETLEASE, 0); print('BREACH')",
        "calls of another architecture": _CTYPES
        + (
            # mov eax, 20 (getpid of the 32-bit table); int 0x80; ret
            "import mmap\nm = mmap.mmap(-1, 4096, prot=7)\nm.write(bytes.fromhex('b814000000cd80c3'))\n"
            "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\n"
            "print('BREACH') if f() > 0 else 0"
        ),
        "calls of the x32 table": _CTYPES
        + "r = libc.syscall(0x40000000 + 57)\nprint('BREACH' if r >= 0 else 'no')",
        "read its own memory by name": "open('/proc/self/mem', 'rb').read(1); print('BREACH')",
        "read the address space": "print('BREACH', open('/proc/self/maps').read()[:9])",
        "read the control groups": "import os\nprint('BREACH', os.listdir('/sys/fs/cgroup'))",
        "read the kernel's log": "open('/dev/kmsg').read(1); print('BREACH')",
        "remove its folder": "import os\nos.rmdir(os.getcwd()); print('BREACH')",
        "move its folder": "import os\nos.rename(os.getcwd(), '/gone'); print('BREACH')",
        "climb by a descriptor": (
            "import os\nd = os.open('/', os.O_RDONLY)\nfor _ in range(9): d = os.open('..', os.O_RDONLY, dir_fd=d)\n"
            "print('BREACH', [n for n in os.listdir(d) if n in ('boot', 'home', 'proc')][0])"
        ),
        "compiled code for the next": (
            "import os, json\nd = os.path.dirname(json.__file__) + '/__pycache__'\n"
            "open(d + '/x.pyc', 'w').write('x'); print('BREACH')"
        ),
        # the machinery around it
        "look for the host's objects in frames": (
            "import sys\nkey = 'SECRET_OF' + '_HOST'\nf = sys._getframe().f_back\nwhile f:\n"
            "    print('BREACH') if key in repr(f.f_locals) + repr(f.f_globals) else 0\n    f = f.f_back"
        ),
        "look for the host's objects in the heap": (
            "import gc\nkey = 'SECRET_OF' + '_HOST'\n"
            "print(['BREACH' for o in gc.get_objects() if isinstance(o, dict) and key in o])"
        ),
    }.items()
}

# Pairs: what the first leaves, the second must not find.
TRACES = {
    "a file": (
        "open('left', 'w').write('x')",
        "import os\nprint('BREACH' if os.listdir('.') else 'no')",
    ),
    "a flag on the input": (
        "import os\nos.set_blocking(0, False)",
        "import os\nprint('no' if os.get_blocking(0) else 'BREACH')",
    ),
    "a lock on the input": (
        "import fcntl\nfcntl.flock(0, fcntl.LOCK_EX)",
        "import fcntl\nfcntl.flock(0, fcntl.LOCK_EX | fcntl.LOCK_NB); print('no')",
    ),
    "a mask": (
        "import os\nos.umask(0o777)",
        "import os\nopen('f', 'w').close(); open('f').close(); print('no')",
    ),
    "a module": (
        "import math\nmath.pi = 3",
        "import math\nprint('BREACH' if math.pi == 3 else 'no')",
    ),
    "a trace function": (
        "import sys, threading\nsys.settrace(print); threading.settrace(print)",
        "import sys\nprint('BREACH' if sys.gettrace() else 'no')",
    ),
    "an alarm": ("import signal\nsignal.alarm(1)", "import time\ntime.sleep(1.2); print('no')"),
    # The second reads all memory around its own objects; writing to a file tells what is mapped without a crash.
    "its text in memory": (
        "secret = 'LEFT-' + 'b41c'\nprint(secret * 40)\n# LEFT-b41c " + "LEFT-b41c " * 99,
        "import ctypes, os\nlibc = ctypes.CDLL(None)\nwanted = bytes([76, 69, 70, 84]) + b'-' + bytes.fromhex('62343163')\n"
        "starts = {id(o) >> 24 for o in (object(), wanted, [], os.stat, bytes(300), bytes(70000), bytes(9**6))}\n"
        "found = seen = 0\nfor block in {s + d for s in starts for d in (-1, 0, 1)}:\n"
        "    f = os.open('m', os.O_RDWR | os.O_CREAT | os.O_TRUNC)\n"
        "    for page in range(block << 24, (block + 1) << 24, 65536):\n"
        "        os.lseek(f, 0, 0)\n        n = libc.write(f, ctypes.c_void_p(page), 65536)\n"
        "        if n > 0: seen += n; found += os.pread(f, n, 0).count(wanted + wanted)\n"
        "print('BREACH' if found or seen < 10**6 else 'no')",
    ),
}

BOUNDED = {
    # These need no refusal, but an end within their limits.
    "sleep": "import time\ntime.sleep(100)",
    "loop": "while True: pass",
    "loop that catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "ignore signals": "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    "close the streams and stay": "import os\nos.close(1); os.close(2)\nwhile True: pass",
    "endless output": "while True: print('x' * 10000)",
    "endless errors": "import sys\nwhile True: sys.stderr.write('x' * 10000)",
    "eat memory": "x = []\nwhile True: x.append(bytearray(10**7))",
    "eat memory and catch": "x = []\nwhile True:\n    try: x.append(bytearray(10**7))\n    except MemoryError: pass",
    "fill the disk": "i = 0\nwhile True:\n    open(f'f{i}', 'wb').write(b'x' * 10**6); i += 1",
    "many files": "i = 0\nwhile True:\n    open(f'f{i}', 'wb').close(); i += 1",
    "deep folders": "import os\nfor i in range(400):\n    os.mkdir('d'); os.chdir('d')",
    "folders that cannot be read": "import os\nos.makedirs('a/b'); os.mkdir('a/b/c', 0)\nos.umask(0o777); os.mkdir('z')",
    "many descriptors": "import os\nwhile True: os.dup(1)",
    "block signals": "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True: time.sleep(9)",
    "close everything": "import os\nos.closerange(0, 64)\nwhile True: pass",
    "wait for input": "import sys\nwhile True: sys.stdin.read(); input_again = 1",
    "leave the main thread": "import ctypes, threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\nctypes.CDLL(None).syscall(60, 0)",
    "a sparse file": "f = open('f', 'wb')\nf.truncate(10**15)",
    "odd names": "import os\nfor n in (b'\\xff', b'a\\nb', b'-rf', b'x' * 255, '好'.encode()): open(n, 'w').close()\nos.makedirs('x/' * 50)",
    "endless regular expression": "import re\nre.match(r'(a*)*$', 'a' * 99 + 'b')",
    "memory by maps": "import mmap\nkeep = []\nwhile True: keep.append(mmap.mmap(-1, 10**8)); keep[-1].write(b'x' * 10**8)",
    "a million locks": "import fcntl\nf = open('f', 'wb')\nfor i in range(0, 10**9, 2): fcntl.lockf(f, fcntl.LOCK_EX, 1, i)",
    "threads that compute": "import threading, hashlib\nfor _ in range(8): threading.Thread(target=lambda: [hashlib.sha256(bytes(10**7)) for _ in range(10**6)]).start()",
    "collapse of the stack": "import ctypes\nF = ctypes.CFUNCTYPE(None)\ndef g(): F(g)()\nimport sys; sys.setrecursionlimit(10**8); g()",
    "many threads": "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(9,)).start()",
    "threads that outlive": "import threading, time, os\nthreading.Thread(target=time.sleep, args=(99,)).start()\nos._exit(0)",
    "big number": "print(len(str(9**9**9)))",
    "crash the interpreter": "import ctypes\nctypes.string_at(1)",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()",
    "deep syntax": "eval('(' * 100000)",
    "zip bomb of code": "exec('x=' + '-' * 100000 + '1')",
    "claim success by its exit": "import os\nos._exit(0)",
    "forge a result line": "import os\nos.write(1, b'\\x00' * 100 + b'{\"status\": \"ok\"}\\n')",
}
