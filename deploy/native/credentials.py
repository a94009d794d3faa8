"""Secrets and certificates: made on first need, kept where only their owner can read them."""
import secrets
import shutil
import subprocess

from .settings import HOST, StackError, private_folder, write_private

CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
RENEW_BEFORE_S = 30 * 24 * 3600


def secret(settings, name):
    """The content of FOLDER/secrets/NAME; a new random one if there is none."""
    file = settings.secrets / name
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32) + "\n")
    return file.read_text().strip()


def certificates(settings):
    """FOLDER/secrets/tls: ca.pem to hand out, and the servers' own; renewed in their last month."""
    private_folder(settings.secrets)
    if not settings.tls.is_dir():
        hidden = settings.secrets / ".tls.new"
        shutil.rmtree(hidden, ignore_errors=True)
        private_folder(hidden)
        _openssl(hidden, "req", "-x509", *CURVE, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650",
                 "-subj", "/CN=gpulse stack CA", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        _server_certificate(hidden)
        hidden.rename(settings.tls)
    elif _expires_soon(settings.tls / "server.crt"):
        _server_certificate(settings.tls)
    return settings.tls


def _server_certificate(folder):
    """A new key and certificate for every server here, made in full before they take the old one's names."""
    (folder / "server.ext").write_text(f"subjectAltName=IP:{HOST},DNS:localhost\n"
                                       "extendedKeyUsage=serverAuth,clientAuth\n")
    _openssl(folder, "req", *CURVE, "-keyout", "new.key", "-out", "new.csr", "-subj", "/CN=localhost")
    _openssl(folder, "x509", "-req", "-in", "new.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
             "-days", "825", "-extfile", "server.ext", "-out", "new.crt")
    key, certificate, authority = ((folder / name).read_text() for name in ("new.key", "new.crt", "ca.pem"))
    write_private(folder / "server.pem", key + certificate + authority)   # as Kafka wants it
    write_private(folder / "server.key", key)
    write_private(folder / "server.crt", certificate + authority)
    for name in ("new.key", "new.csr", "new.crt", "server.ext"):
        (folder / name).unlink()


def _expires_soon(certificate):
    return subprocess.run(["openssl", "x509", "-checkend", str(RENEW_BEFORE_S), "-noout", "-in", certificate],
                          capture_output=True).returncode != 0


def _openssl(folder, *arguments):
    try:
        result = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, umask=0o077)
    except FileNotFoundError as error:
        raise StackError("openssl is not installed: run `make stack`, which installs it") from error
    if result.returncode:
        raise StackError(f"cannot make the certificates: openssl {arguments[0]}:\n{result.stderr}")
