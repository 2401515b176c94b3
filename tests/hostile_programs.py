"""Programs that try to get out of the sandbox. Each prints BREACH when it reached something it must not.

HOSTPID, PORT and FOLDER are set in front of each: the host's process, a listening port, a folder with a secret.
"""


def _attempt(body: str) -> str:
    """The body, with any refusal swallowed: only success may print."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return f"try:\n{lines}\nexcept BaseException as error:\n    print('refused', type(error).__name__)"


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
        "mount": _CTYPES + "r = libc.mount(b'none', b'/box', b'tmpfs', 0, None)\nprint('BREACH' if r == 0 else 'no')",
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
        "signal by thread": _CTYPES + "r = libc.syscall(234, HOSTPID, HOSTPID, 6)\nprint('BREACH' if r == 0 else 'no')",
        "signal the parent by thread": (
            _CTYPES + "r = libc.syscall(234, os.getppid(), os.getppid(), 6)\nprint('BREACH' if r == 0 else 'no')"
        ),
        "queue a signal": _CTYPES + "r = libc.sigqueue(HOSTPID, 10, 0)\nprint('BREACH' if r == 0 else 'no')",
        "open a pidfd": "import os\nos.pidfd_open(os.getppid()); print('BREACH')",
        "trace the parent": _CTYPES + "r = libc.ptrace(16, os.getppid(), 0, 0)\nprint('BREACH' if r == 0 else 'no')",
        "read the parent's memory": (
            _CTYPES + "r = libc.syscall(310, os.getppid(), None, 0, None, 0, 0)\nprint('BREACH' if r >= 0 else 'no')"
        ),
        "fork": "import os\npid = os.fork()\nprint('BREACH') if pid else os._exit(0)",
        "fork in a loop": "import os\nfor _ in range(5):\n    os.fork()\nprint('BREACH')",
        "vfork": _CTYPES + "r = libc.syscall(58)\nprint('BREACH' if r >= 0 else 'no')",
        "clone": _CTYPES + "r = libc.syscall(56, 17, 0, 0, 0, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "clone3": _CTYPES + "r = libc.syscall(435, (ctypes.c_uint64 * 11)(), 88)\nprint('BREACH' if r >= 0 else 'no')",
        "exec a shell": "import os\nos.execv('/bin/sh', ['sh', '-c', 'echo BREACH'])",
        "exec python": "import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'print(\"BREACH\")'])",
        "subprocess": "import subprocess\nprint(subprocess.check_output('echo BREACH', shell=True))",
        "os.system": "import os\nr = os.system ('echo BREACH')",
        "posix_spawn": "import os\nos.posix_spawn('/bin/echo', ['echo', 'BREACH'], {}); print('BREACH')",
        "multiprocessing": "import multiprocessing as m\nm.get_context('fork').Process(target=print).start(); print('BREACH')",
        "become root": "import os\nos.setuid(0); print('BREACH' if os.getuid() == 0 and os.listdir('/etc') else 'no')",
        "new user namespace": _CTYPES + "r = libc.unshare(0x10000000)\nprint('BREACH' if r == 0 else 'no')",
        "raise limits": "import resource as r\nr.setrlimit(r.RLIMIT_AS, (-1, -1)); print('BREACH')",
        "set a capability": _CTYPES + "r = libc.prctl(47, 2, 21, 0, 0)\nprint('BREACH' if r == 0 else 'no')",
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
        "shared memory": _CTYPES + "r = libc.shmget(0, 4096, 0o1600)\nprint('BREACH' if r >= 0 else 'no')",
        "message queue": _CTYPES + "r = libc.msgget(77, 0o1600)\nprint('BREACH' if r >= 0 else 'no')",
        "memfd": "import os\nos.memfd_create('x'); print('BREACH')",
        "io_uring": _CTYPES + "r = libc.syscall(425, 1, None)\nprint('BREACH' if ctypes.get_errno() != 1 else 'no')",
        "bpf": _CTYPES + "r = libc.syscall(321, 0, None, 0)\nprint('BREACH' if ctypes.get_errno() != 1 else 'no')",
        "keyring": _CTYPES + "r = libc.syscall(250, 0, -3, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "userfaultfd": _CTYPES + "r = libc.syscall(323, 0)\nprint('BREACH' if r >= 0 else 'no')",
        "push keys to the terminal": "import fcntl\nfcntl.ioctl(0, 0x5412, b'x'); print('BREACH')",
        "set the clock": "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0); print('BREACH')",
        "set the host's name": "import socket\nsocket.sethostname('x'); print('BREACH')",
        "lower the priority of others": "import os\nos.setpriority(os.PRIO_PGRP, 0, -5); print('BREACH')",
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
