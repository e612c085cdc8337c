#!/usr/bin/python3
"""A small S3 client for tests and the demo, with a signer of its own, so that nothing here is the code under test:
    ENDPOINT= BUCKET= ACCESS_KEY= SECRET_KEY= [REGION=] s3.py make | ls | get KEY | head KEY | rm KEY | versioning on|off
ls prints `size key`; a status of 300 or more ends with exit status 1."""
import hashlib
import hmac
import http.client
import os
import re
import sys
import time
import urllib.parse


class S3:
    def __init__(self, endpoint, bucket, access, secret, region="us-east-1"):
        self.host = endpoint.split("//", 1)[1].rstrip("/")
        self.bucket, self.access, self.secret, self.region = bucket, access, secret, region

    @classmethod
    def of_environment(cls, env=None):
        env = os.environ if env is None else env
        return cls(env["ENDPOINT"], env["BUCKET"], env["ACCESS_KEY"], env["SECRET_KEY"], env.get("REGION", "us-east-1"))

    def signature(self, day, text):
        key = ("AWS4" + self.secret).encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def call(self, method, key="", query=None, body=b"", headers=None):
        """(status, body, headers) of one request on a connection of its own."""
        quote = lambda s: urllib.parse.quote(s, safe="-._~")
        path = "/" + self.bucket + ("/" + "/".join(map(quote, key.split("/"))) if key else "")
        query = "&".join("%s=%s" % (quote(k), quote(v)) for k, v in sorted((query or {}).items()))
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        payload = hashlib.sha256(body).hexdigest()
        signed = {"host": self.host, "x-amz-content-sha256": payload, "x-amz-date": now}
        signed.update((k.lower(), v) for k, v in (headers or {}).items())
        names = ";".join(sorted(signed))
        canonical = "\n".join([method, path, query] + ["%s:%s" % (k, signed[k]) for k in sorted(signed)] + ["", names, payload])
        scope = "%s/%s/s3/aws4_request" % (now[:8], self.region)
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        signed["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s" % (
            self.access, scope, names, self.signature(now[:8], text))
        c = http.client.HTTPConnection(self.host, timeout=30)
        try:
            c.request(method, path + ("?" + query if query else ""), body or None, signed)
            r = c.getresponse()
            return r.status, r.read(), {k.lower(): v for k, v in r.getheaders()}
        finally:
            c.close()

    def make(self):
        return self.call("PUT")[0]

    def keys(self, prefix=""):
        """{key: size} of what an ordinary listing shows."""
        status, body, _ = self.call("GET", query={"list-type": "2", "prefix": prefix})
        assert status == 200, (status, body)
        return {k: int(n) for k, n in re.findall(r"<Key>([^<]*)</Key>.*?<Size>(\d+)</Size>", body.decode(), re.S)}

    def versions(self, prefix=""):
        """Keys with their version ids, delete markers too."""
        status, body, _ = self.call("GET", query={"versions": "", "prefix": prefix})
        assert status == 200, (status, body)
        return re.findall(r"<Key>([^<]*)</Key>\s*<VersionId>([^<]*)</VersionId>", body.decode())

    def set_versioning(self, on):
        body = b"<VersioningConfiguration><Status>%s</Status></VersioningConfiguration>" % (b"Enabled" if on else b"Suspended")
        return self.call("PUT", query={"versioning": ""}, body=body)[0]


def main(words):
    s3 = S3.of_environment()
    if words[:1] == ["make"]:
        deadline = time.monotonic() + 60
        while (status := s3.make()) >= 500 and time.monotonic() < deadline:  # the back ends may need a moment
            time.sleep(0.3)
    elif words[:1] == ["ls"]:
        for key, size in sorted(s3.keys().items()):
            print(size, key)
        return 0
    elif words[:1] == ["versioning"]:
        status = s3.set_versioning(words[1] == "on")
    else:
        method = {"get": "GET", "head": "HEAD", "rm": "DELETE"}[words[0]]
        status, body, headers = s3.call(method, words[1])
        if method == "HEAD":
            body = "".join("%s: %s\n" % kv for kv in sorted(headers.items())).encode()
        sys.stdout.buffer.write(body)
    if status >= 300:
        print("s3.py: %s: status %d" % (" ".join(words), status), file=sys.stderr)
    return 0 if status < 300 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
