"""Files with Content Credentials, signed at test time by an authority that nobody else knows."""

from __future__ import annotations

import datetime
import io
import json
from functools import cache
from typing import Any, NamedTuple

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_DAY = datetime.timedelta(days=1)


class Authority(NamedTuple):
    """A certification authority and a signer it admitted, each with its name."""

    root: str
    chain: str
    key: bytes


@cache
def authority(name: str = "Meadow", status_at: str = "") -> Authority:
    """The authority of this name, and the signer `Press of <name>`, organisation `<name>`.

    `status_at` is the address that its certificate says to ask whether it still holds.
    """
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"{name} Root", name)
    root = _certificate(issuer, issuer, root_key.public_key(), root_key, is_authority=True)
    leaf = _certificate(
        _name(f"Press of {name}", name), issuer, key.public_key(), root_key, status_at=status_at
    )
    pem = serialization.Encoding.PEM
    return Authority(
        root.public_bytes(pem).decode(),
        leaf.public_bytes(pem).decode() + root.public_bytes(pem).decode(),
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def created(source_type: str = "trainedAlgorithmicMedia", **action: Any) -> dict[str, Any]:
    """The assertion that a picture was created in this way, or what else was done to it."""
    done = {"action": "c2pa.created", "digitalSourceType": IPTC + source_type, **action}
    return {"label": "c2pa.actions.v2", "data": {"actions": [done]}}


def signed(
    data: bytes,
    mime: str,
    *assertions: dict[str, Any],
    by: Authority | None = None,
    parent: bytes = b"",
    remote: str = "",
    embed: bool = True,
) -> bytes:
    """`data` with a manifest of these assertions, of `parent` (of the same type) when given.

    `remote` is an address the file then names; without `embed` the manifest is nowhere else.
    """
    by = by or authority()
    said = {
        "claim_generator_info": [{"name": "Paintbox", "version": "1.2"}],
        "title": "meadow",
        "assertions": list(assertions),
    }
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_trust": False}}
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", by.chain.encode(), by.key, None))
    with c2pa.Builder(said, context=c2pa.Context.from_dict(settings)) as builder:
        if parent:
            told = json.dumps({"title": "parent", "relationship": "parentOf"})
            builder.add_ingredient(told, mime, io.BytesIO(parent))
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)  # adds the action that it was opened
        if remote:
            builder.set_remote_url(remote)
        if not embed:
            builder.set_no_embed()
        out = io.BytesIO()
        builder.sign(signer, mime, io.BytesIO(data), out)
    return out.getvalue()


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool = False,
    status_at: str = "",
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        [
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ],
        False,
    )  # fmt: skip
    usage |= (
        {"key_cert_sign": True, "crl_sign": True} if is_authority else {"digital_signature": True}
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
        .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not is_authority:
        usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usages, critical=False)
    if status_at:
        asked = x509.AccessDescription(
            x509.oid.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(status_at)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([asked]), critical=False)
    return builder.sign(signer, hashes.SHA256())
