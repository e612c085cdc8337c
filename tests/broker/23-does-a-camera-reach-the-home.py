"""Do motion and a clip of a real motion detector, with the example's own configuration, reach the home and nobody else?

The camera is a file of ffmpeg, played at its own speed: a still scene, one figure that crosses it, a still scene."""
import glob
import json

from broker import *
from programs import *

EXAMPLE = os.path.join(ROOT, "clients", "doorbell", "examples", "motion")
PATIENCE = 60  # motion waits 15 s of quiet before it closes a movie


def example(b, name, *changes):
    """A copy of the example's file with other values for lines that it must have; its path."""
    with open(os.path.join(EXAMPLE, name)) as f:
        text = f.read()
    for old, new in changes:
        assert text.count(old) == 1, "%s does not say %r once" % (name, old)
        text = text.replace(old, new)
    path = os.path.join(b.dir, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def scene(b):
    path = os.path.join(b.dir, "scene.mp4")
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "color=c=gray:s=320x240:r=10:d=90", "-f", "lavfi", "-i",
                    "color=c=black:s=40x120:r=10:d=90", "-filter_complex", "[0][1]overlay=x='if(between(t,5,7),(t-5)*140,-100)':y=100",
                    "-threads", "1", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", path], check=True, timeout=60)
    return path


class Camera:
    """The daemon and motion as the example has them, but for paths, broker and camera."""

    def __init__(self, b):
        self.b, self.movies, self.kept = b, os.path.join(b.dir, "movies"), os.path.join(b.dir, "kept")
        for folder in (self.movies, self.kept):
            os.mkdir(folder)
        self.conf = example(b, "vestibule-doorbell.conf", ("broker.local", "127.0.0.1"), ("8883", str(b.port)), ("cafile", "# cafile"),
                            ("/etc/vestibule/front-door.token", token_file(b, "front-door")),
                            ("/run/vestibule-doorbell/socket", os.path.join(b.dir, "socket")))
        self.hook = os.path.join(EXAMPLE, "hook.sh")
        self.environment = dict(environment(b), VESTIBULE_DOORBELL_CONF=self.conf, STATE_DIRECTORY=os.path.join(b.dir, "state"),
                                PATH=os.path.join(broker.BUILD, "bin") + ":" + os.environ["PATH"])
        self.log = open(os.path.join(b.dir, "camera.log"), "a+")
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        if kind:
            self.log.seek(0)
            print("--- camera log\n" + self.log.read()[-4000:])
        self.log.close()

    def spawn(self, *argv):
        self.processes.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.environment,
                                               cwd=self.b.dir))

    def start_doorbell(self):
        os.makedirs(os.path.join(self.b.dir, "state"), exist_ok=True)
        self.spawn("vestibule-doorbell", "--config", self.conf, "run")
        wait_until(lambda: '"link":"online"' in self.ask("vestibule-doorbell", "--config", self.conf, "--json", "status")[1], 20, "online")

    def start_motion(self):
        hook = "/usr/local/bin/vestibule-motion-hook"
        conf = example(self.b, "motion.conf", ("video_device /dev/video0", "netcam_url file://" + scene(self.b)),
                       ("target_dir /var/lib/motion", "target_dir " + self.movies),
                       ("on_event_start " + hook, "on_event_start " + self.hook), ("on_movie_end " + hook, "on_movie_end " + self.hook))
        self.spawn("motion", "-n", "-c", conf)

    def ask(self, *argv):
        done = subprocess.run(argv, capture_output=True, text=True, timeout=30, env=self.environment, stdin=subprocess.DEVNULL,
                              cwd=self.b.dir)
        return done.returncode, done.stdout, done.stderr

    def keep(self):
        """Second names for what motion writes: the hook removes the first."""
        for path in glob.glob(os.path.join(self.movies, "*.mp4")):
            other = os.path.join(self.kept, os.path.basename(path))
            if not os.path.exists(other):
                os.link(path, other)
        return self.kept_files()

    def kept_files(self):
        return glob.glob(os.path.join(self.kept, "*.mp4"))


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def probe(path):
    done = subprocess.run(["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", path], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr
    stream, = json.loads(done.stdout)["streams"]
    return stream


def figure_is_motion_then_a_clip_that_the_home_can_watch():
    with Broker(street() + device("front-door", "maple")) as b, Camera(b) as camera, \
            Background(b, "home", "alice", "watch", "--json") as alice, Background(b, "home", "bob", "watch", "--json") as bob:
        camera.start_doorbell()
        began = now_ms()
        camera.start_motion()
        wait_until(lambda: camera.keep() and alice.events("motion"), PATIENCE, "motion")
        assert not alice.events("clip-ready"), "the movie is still being written"
        wait_until(lambda: alice.events("clip-ready"), PATIENCE, "a clip")
        motion, = alice.events("motion")
        clip, = alice.events("clip-ready")
        assert motion["kind"] == "other" and clip["trigger"] == "motion", (motion, clip)
        assert began - 1000 <= clip["start_ms"] <= motion["at_ms"] <= clip["at_ms"], "it begins before the motion, to the second"
        assert clip["at_ms"] - motion["at_ms"] > clip["duration_ms"], "the quiet that ends an event is not in the movie"

        written, = camera.kept_files()
        assert clip["payload_sha256"] == sha256(written) and clip["payload_length"] == os.path.getsize(written)
        wait_until(lambda: not os.listdir(camera.movies), 20, "the hook removes what the doorbell took")
        got = os.path.join(b.dir, "got.mp4")
        assert run(b, "home", "alice", "clip", "get", clip["clip_id"], "--out", got)[0] == RECORDED
        assert sha256(got) == sha256(written)
        stream = probe(got)
        assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", 640, 480), stream
        assert int(stream["nb_read_frames"]) > 10 and abs(float(stream["duration"]) * 1000 - clip["duration_ms"]) < 200, stream

        stolen = os.path.join(b.dir, "stolen.mp4")
        for home_of in ((), ("--home", "maple")):
            assert run(b, "home", "bob", "clip", "get", clip["clip_id"], "--out", stolen, *home_of)[0] != RECORDED, home_of
        assert not glob.glob(stolen + "*") and not bob.lines, bob.lines


def hook_loses_no_movie_and_takes_names_as_they_are():
    with Broker(street() + device("front-door", "maple")) as b, Camera(b) as camera:
        name = os.path.join(camera.movies, "1700000000-$(touch oops) `touch oops` 'x\".mp4")
        shutil.copy(os.path.join(ROOT, "tests", "media", "doorstep.mp4"), name)
        hook = lambda *args: camera.ask(camera.hook, *args)
        code, _, why = hook("clip", name)
        assert code == UNAVAILABLE and "no daemon answers" in why and os.path.exists(name), (code, why)
        camera.start_doorbell()
        for wrong in ((), ("ring",), ("clip",), ("motion", name), ("clip", name, name)):
            assert hook(*wrong)[0] == USAGE and os.path.exists(name), wrong
        undated = os.path.join(camera.movies, "doorstep.mp4")
        shutil.copy(name, undated)
        code, _, why = hook("clip", undated)
        assert code == USAGE and "start-ms" in why and os.path.exists(undated), (code, why)
        unfinished = os.path.join(camera.movies, "1700000000-02.mp4")
        with open(name, "rb") as whole, open(unfinished, "wb") as part:
            part.write(whole.read()[:1000])
        assert hook("clip", unfinished)[0] == REFUSED and os.path.exists(unfinished)
        code, told, why = hook("clip", name)
        assert code == RECORDED and "start_ms: 1700000000000" in told and not os.path.exists(name), (code, told, why)
        assert not glob.glob(os.path.join(b.dir, "**", "oops"), recursive=True), "a name was run"


main(hook_loses_no_movie_and_takes_names_as_they_are, figure_is_motion_then_a_clip_that_the_home_can_watch)
