"""A disk that does not answer while it is held: the broker's store waits in fsync, for as long as a test wants."""
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


class Disk:
    """with Disk() as disk, Broker(...) as b: disk.hold() ... disk.release()   Brokers started inside are under it."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="vestibule-disk-")
        self.file = os.path.join(self.dir, "held")
        library = os.path.join(self.dir, "hold_sync.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, os.path.join(HERE, "hold_sync.c")], check=True)
        self.before = {name: os.environ.get(name) for name in ("VESTIBULE_PRELOAD", "HOLD_SYNC")}
        os.environ["VESTIBULE_PRELOAD"] = " ".join(filter(None, [self.before["VESTIBULE_PRELOAD"], library]))
        os.environ["HOLD_SYNC"] = self.file
        return self

    def __exit__(self, *_):
        self.release()
        for name, value in self.before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(self.dir, ignore_errors=True)

    def hold(self):
        with open(self.file, "w"):
            pass

    def release(self):
        if os.path.exists(self.file):
            os.unlink(self.file)
