"""Does a client certificate let its holder in under its CN, and under no other name?"""
import ssl

from broker import *


def openssl(d, *args):
    subprocess.run(["openssl", *args], cwd=d, check=True, capture_output=True, timeout=60)


def make_ca(d):
    openssl(d, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=ca")


def make_cert(d, name, subject):
    openssl(d, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", subject)
    openssl(d, "x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".crt",
            "-days", "2")


def context(d, name):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.load_verify_locations(os.path.join(d, "ca.crt"))
    if name:
        c.load_cert_chain(os.path.join(d, name + ".crt"), os.path.join(d, name + ".key"))
    return c


def cn_is_the_username():
    b = Broker(street() + credential("front-2", DEVICE, "front"), start=False)
    with b:
        d = b.dir
        make_ca(d)
        make_cert(d, "server", "/CN=localhost")
        for name, subject in (("front", "/CN=front"), ("nobody", "/CN=nobody"), ("evil", "/CN=al ice"),
                              ("two", "/CN=front/CN=front-2"), ("none", "/O=front")):
            make_cert(d, name, subject)
        b.listener = "cafile %s/ca.crt\ncertfile %s/server.crt\nkeyfile %s/server.key\nrequire_certificate true" % (d, d, d)
        b.start()

        def connect(cert, client_id, username=None, password=None):
            return mqtt5.Client(b.port, client_id, username, password, context=context(d, cert))
        with connect("front", "front") as c:
            assert c.subscribe(TOP + "device/front/ack", qos=0) == 0
            assert c.publish(TOP + "device/front/ring", ring()) in (0, mqtt5.NO_SUBSCRIBERS)
            b.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "Reloading config" in b.read_log(), 5, "reload")
            c.ping()
        connect("front", "front", "front").disconnect()
        for cert, client_id, username, password in (
                ("nobody", "x", None, None), ("evil", "x", None, None), ("two", "x", None, None), ("none", "x", None, None),
                ("front", "front", "alice", token("alice")), ("front", "alice", None, None)):
            assert refused(lambda: connect(cert, client_id, username, password)) == mqtt5.NOT_AUTHORIZED, (cert, client_id)


main(cn_is_the_username)
