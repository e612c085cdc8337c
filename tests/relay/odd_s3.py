"""An S3 server that misbehaves on demand, for what a real one does once a year. It checks no signature (swift does): only how
the relay takes answers is looked at here."""
import collections
import email.utils
import http.server
import re
import ssl
import threading
import time
import urllib.parse


class OddS3(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects, self.meta, self.seen = {}, {}, []
        self.next = collections.defaultdict(list)  # method: answers to give before behaving, (status, code) or a word
        self.always = {}  # method: answer for as long as it stands here
        self.versioning, self.lock = b"", None
        self.echo_sse, self.date_off = False, 0
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def endpoint(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self.server_port)

    def count(self, method, part=""):
        return len([1 for m, path, _ in self.seen if m == method and part in path])

    def handle_error(self, request, client_address):
        pass  # connections that are cut are what this is for


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def date_time_string(self, timestamp=None):
        return email.utils.formatdate(time.time() + self.server.date_off, usegmt=True)

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status, code, headers=None):
        self.answer(status, b"<?xml version='1.0'?>\n<Error><Code>%s</Code><Message>words</Message></Error>" % code.encode(), headers)

    def scripted(self, path):
        """True when the script answered, and the request is not to be served."""
        s = self.server
        act = s.always.get(self.command)
        if path.count("/") < 2:
            act = None  # the bucket itself is fine
        elif s.next[self.command]:
            act = s.next[self.command].pop(0)
        if act is None or act == "stray":
            return False
        self.close_connection = True
        if act == "silence":
            time.sleep(3)
        elif act == "redirect":
            self.answer(307, b"", {"Location": "http://127.0.0.1:1/"})
        elif act == "huge":
            self.answer(503, b"x" * 2000000)
        elif act != "cut":
            self.refuse(*act)
        return True

    def do_any(self):
        s = self.server
        url = urllib.parse.urlsplit(self.path)
        s.seen.append((self.command, self.path, dict((k.lower(), v) for k, v in self.headers.items())))
        late = self.command == "PUT" and s.next["PUT"][:1] == ["stored-but-cut"]
        if not late and self.scripted(url.path):
            return
        key = url.path
        if self.command == "PUT":
            body = self.rfile.read(int(self.headers["Content-Length"]))
            s.objects[key], s.meta[key] = body, self.headers.get("x-amz-meta-sha256", "")
            if late:
                s.next["PUT"].pop(0)
                self.close_connection = True
                return
            sse = self.headers.get("x-amz-server-side-encryption")
            self.answer(200, b"", {"x-amz-server-side-encryption": sse} if sse and s.echo_sse else None)
        elif self.command == "DELETE":
            s.objects.pop(key, None)
            self.answer(204)
        elif url.query and self.command == "GET" and key.count("/") < 2:
            self.bucket_question(urllib.parse.parse_qs(url.query, keep_blank_values=True))
        elif key in s.objects:
            self.answer(200, s.objects[key], {"x-amz-meta-sha256": s.meta[key]})
        elif self.command == "HEAD" and s.always.get("HEAD") == "stray":
            self.send_response(404)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"stray")
        else:
            self.refuse(404, "NoSuchKey")

    def bucket_question(self, query):
        s = self.server
        if "versioning" in query:
            if s.versioning is None:
                self.refuse(501, "NotImplemented")
            else:
                self.answer(200, b"<VersioningConfiguration>%s</VersioningConfiguration>" % s.versioning)
        elif "object-lock" in query:
            if s.lock is None:
                self.refuse(404, "ObjectLockConfigurationNotFoundError")
            else:
                self.answer(200, b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
                                 b"<Mode>%s</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>" % s.lock)
        else:
            prefix = query.get("prefix", [""])[0]
            keys = [k.split("/", 2)[2] for k in sorted(s.objects)]
            self.answer(200, ("<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>" % "".join(
                "<Contents><Key>%s</Key></Contents>" % k for k in keys if re.match(re.escape(prefix), k))).encode())

    do_GET = do_HEAD = do_PUT = do_DELETE = do_any
