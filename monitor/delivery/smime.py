"""S/MIME: a mail signed, and encrypted for a recipient who has a certificate (RFC 8551). Needs the extra ``smime``.

Subject and addresses stay readable; they hold nothing of a patient. Only who needs it imports this module.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import pkcs7

from monitor.errors import ConfigError

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_HEADER = re.compile(rb"[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")
_OF_THE_BODY = (b"content-", b"mime-version:")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs."""

    certificate: x509.Certificate
    key: Key


def identity(certificate: Path, key_pem: str | None) -> Identity:
    """The sender's certificate and key, PEM. Raises ConfigError, which quotes neither."""
    if key_pem is None:
        raise ConfigError("mails are to be signed, and no key was found: give it as the credential or file smime_key")
    try:
        key = serialization.load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigError("smime_key cannot be read: it is to be a private key in PEM, without a password") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError("smime_key is neither an RSA nor an elliptic-curve key: S/MIME signs with no other")
    found = certificate_of(certificate)
    if key.public_key() != found.public_key():
        raise ConfigError(f"smime_key does not belong to the certificate {certificate}")
    return Identity(found, key)


def certificate_of(path: Path) -> x509.Certificate:
    """A certificate, PEM. Raises ConfigError."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"the certificate {path} cannot be read: {type(error).__name__}") from None
    except ValueError:
        raise ConfigError(f"{path} holds no certificate in PEM") from None


def recipient_certificate(path: Path) -> x509.Certificate:
    """A certificate that mails can be encrypted for. Raises ConfigError."""
    found = certificate_of(path)
    if not isinstance(found.public_key(), rsa.RSAPublicKey):
        raise ConfigError(f"the certificate {path} is not an RSA one: mails cannot be encrypted for it")
    return found


def protect(data: bytes, signer: Identity, recipient: x509.Certificate | None) -> bytes:
    """``data``, a mail with CRLF line ends, signed, and encrypted where ``recipient`` is given. Its headers stay.

    The bytes differ from call to call: a signature holds its time, an encryption a key of its own.
    """
    headers, inner = _parted(data)
    protected = _signed(inner, signer)
    if recipient is not None:
        protected = _encrypted(protected, recipient)
    return headers + b"MIME-Version: 1.0\r\n" + protected


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """The headers of the mail, and what it consists of with the headers that describe that."""
    head, blank, body = data.partition(b"\r\n\r\n")
    fields = _HEADER.findall(head + b"\r\n")
    ours = [field for field in fields if not field.lower().startswith(_OF_THE_BODY)]
    about = [field for field in fields if field.lower().startswith(_OF_THE_BODY[0])]
    return b"".join(ours), b"".join(about) + b"\r\n" + body if blank else data


def _signed(inner: bytes, signer: Identity) -> bytes:
    """A part that every mail program can read, with the signature beside it."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(inner).add_signer(signer.certificate, signer.key, hashes.SHA256())
    options = [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary]
    signature = builder.sign(serialization.Encoding.DER, options)
    boundary = b"=_" + sha256(b"signed" + inner).hexdigest()[:32].encode()
    return (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
        b' micalg="sha-256"; boundary="' + boundary + b'"\r\n\r\n'
        b"This mail is signed (S/MIME).\r\n"
        b"--" + boundary + b"\r\n" + inner + b"\r\n--" + boundary + b"\r\n"
        b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n' + _base64(signature) + b"\r\n--" + boundary + b"--\r\n"
    )


def _encrypted(inner: bytes, recipient: x509.Certificate) -> bytes:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(inner).add_recipient(recipient)
    builder = builder.set_content_encryption_algorithm(AES256)
    sealed = builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    return (
        b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n' + _base64(sealed)
    )


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
