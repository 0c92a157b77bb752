#!/usr/bin/python3
"""Opens an object exported by `coffer inspect --export`, without Coffer: written from docs/formats/ alone.
Needs Python 3 and Debian's python3-cryptography.

    decrypt.py --root root.key [--customer-key BASE64] [--blobs DIR] export.json > plaintext

Plaintext is written as it is opened. It is whole only when the exit status is 0.
"""
import argparse
import base64
import hmac
import io
import json
import pathlib
import re
import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

CHUNK, TAG, SALT, HEADER = 16384, 16, 24, 56
INFO = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"


class Refused(Exception):
    pass


def unbase64(text):
    if base64.b64encode(data := base64.b64decode(text, validate=True)).decode() != text:
        raise Refused("base64 that is not canonical")
    return data


def length_prefixed(*fields):
    """wrapped-key.md, section 3; a number stands for its uint32."""
    encoded = [f.encode() if isinstance(f, str) else struct.pack(">I", f) if isinstance(f, int) else f for f in fields]
    return b"".join(struct.pack(">I", len(f)) + f for f in encoded)


def kms_context(key_arn, pairs):
    fields = [field for name in sorted(pairs, key=str.encode) for field in (name, pairs[name])]
    return length_prefixed("coffer/kms/1", key_arn, len(pairs), *fields)


def cut(pieces):
    """Header, full sealed chunks, and last what remains, which is short and may be nothing."""
    buffered, size = bytearray(), HEADER
    for piece in pieces:
        buffered += piece
        while len(buffered) >= size:
            yield bytes(buffered[:size])
            del buffered[:size]
            size = CHUNK + TAG
    yield bytes(buffered)


def open_message(key, context, pieces):
    """sealed-object.md: yields the plaintext of a message that comes in pieces of any size, chunk by chunk."""
    cuts = cut(pieces)
    header = next(cuts)
    if len(key) != 32 or len(header) != HEADER:
        raise Refused("sealed message is truncated, or its key has not 32 bytes")
    derived = HKDFExpand(algorithm=SHA512(), length=76, info=INFO + header[:SALT] + context).derive(key)
    if not hmac.compare_digest(derived[44:], header[SALT:]):
        raise Refused("sealed message is not for this key and place")
    cipher, base_nonce = AESGCM(derived[:32]), int.from_bytes(derived[32:44], "big")
    for index, sealed in enumerate(cuts):
        if len(sealed) < TAG or index >= 2**38:
            raise Refused("sealed message is truncated")
        yield cipher.decrypt((base_nonce ^ index).to_bytes(12, "big"), sealed, None)


def open_whole(key, context, sealed):
    return b"".join(open_message(key, context, [sealed]))


class Keys:
    """wrapped-key.md, sections 4 to 8."""

    def __init__(self, export, root_key, customer_key):
        place = export["object"]
        self.bucket, self.key = place["bucket"], place["key"]
        self.nonce = unbase64(place["versionNonce"])
        self.materials, self.root_key, self.customer_key = export["keyMaterials"], root_key, customer_key

    def material(self, version):
        for entry in self.materials:
            if entry["version"] == version:
                if self.root_key is None:
                    raise Refused("this object needs --root")
                context = length_prefixed("coffer/key-material/1", entry["kind"], entry["id"], version)
                return open_whole(self.root_key, context, unbase64(entry["wrapped"]))
        raise Refused(f"key material {version} is not in the export")

    def data_key_context(self, scheme, key_version_id):
        return length_prefixed("coffer/data-key/1", scheme, key_version_id, self.bucket, self.key, self.nonce)

    def under_master(self, scheme, wrapped):
        version = wrapped["keyVersionId"]
        context = self.data_key_context(scheme, version)
        return open_whole(self.material(version), context, unbase64(wrapped["wrappedDataKey"]))

    def under_kms(self, blob, envelope, arn):
        if blob[:1] != b"\x01":
            raise Refused("KMS blob of an unknown version")
        context = kms_context(envelope["keyArn"], {**envelope["encryptionContext"], "aws:s3:arn": arn})
        return open_whole(self.material(blob[1:33].hex()), context, blob[33:])

    def under_customer_key(self, envelope):
        if self.customer_key is None:
            raise Refused("this object needs --customer-key")
        salt, check = unbase64(envelope["salt"]), unbase64(envelope["check"])
        found = hmac.digest(self.customer_key, length_prefixed("coffer/customer-key-check/1", salt), "sha256")
        if not hmac.compare_digest(found, check):
            raise Refused("this is not the customer's key")
        hkdf = HKDF(algorithm=SHA512(), length=32, salt=salt, info=b"coffer/customer-key-wrap/1")
        return open_whole(hkdf.derive(self.customer_key), self.data_key_context("SSE-C", ""), unbase64(envelope["wrappedDataKey"]))

    def layers(self, envelope):
        """Data keys with their layers, outermost first; none for plaintext."""
        if envelope.get("version") != 1:
            raise Refused("envelope of an unknown version")
        scheme = envelope["scheme"]
        if scheme == "NONE":
            return []
        if scheme == "SSE-S3":
            return [(self.under_master(scheme, envelope), "only")]
        if scheme == "SSE-C":
            return [(self.under_customer_key(envelope), "only")]
        wrapped, arn = unbase64(envelope["wrappedDataKey"]), f"arn:aws:s3:::{self.bucket}"
        if scheme == "SSE-KMS" and "bucketKey" in envelope:
            blob = unbase64(envelope["bucketKey"]["blob"])
            context = self.data_key_context(scheme, blob[1:33].hex())
            return [(open_whole(self.under_kms(blob, envelope, arn), context, wrapped), "only")]
        if scheme in ("SSE-KMS", "DSSE-KMS"):
            key = self.under_kms(wrapped, envelope, f"{arn}/{self.key}")
            if scheme == "SSE-KMS":
                return [(key, "only")]
            return [(self.under_master(scheme, envelope["outer"]), "outer"), (key, "inner")]
        raise Refused(f"unknown scheme {scheme}")


def stored_bytes(part, blobs):
    if "sealed" in part:
        stream = io.BytesIO(unbase64(part["sealed"]))
    else:
        name = part["blob"] if re.fullmatch("[0-9a-f]{32}", part["blob"]) else "no-such-blob"
        found = next(pathlib.Path(blobs).rglob(name), None) if blobs else None
        if found is None:
            raise Refused(f"blob {part['blob']} is not under --blobs")
        stream = found.open("rb")
    size = 0
    with stream:
        while piece := stream.read(1 << 16):
            size += len(piece)
            yield piece
    if size != part["sealedSizeBytes"]:
        raise Refused(f"part {part['partNumber']} has {size} stored bytes")


def decrypt(export, root_key, customer_key, blobs, out):
    if export.get("format") != "coffer-export" or export.get("version") != 1:
        raise Refused("not an export of version 1")
    keys = Keys(export, root_key, customer_key)
    place, layers = (keys.bucket, keys.key, keys.nonce), keys.layers(export["envelope"])
    for part in export["parts"]:
        pieces = stored_bytes(part, blobs)
        for key, layer in layers:
            context = length_prefixed("coffer/payload/1", *place, part["partNumber"], layer)
            pieces = open_message(key, context, pieces)
        size = 0
        for plaintext in pieces:
            size += len(plaintext)
            out.write(plaintext)
        if size != part["plaintextSizeBytes"]:
            raise Refused(f"part {part['partNumber']} has {size} bytes of plaintext")


def main():
    parser = argparse.ArgumentParser(description="Opens an exported object; plaintext on standard output.")
    parser.add_argument("--root", help="file of the root key, 64 hex digits")
    parser.add_argument("--customer-key", help="SSE-C key, base64")
    parser.add_argument("--blobs", help="directory of blobs")
    parser.add_argument("export")
    options = parser.parse_args()
    try:
        root_key = bytes.fromhex(pathlib.Path(options.root).read_text().strip()) if options.root else None
        customer_key = unbase64(options.customer_key) if options.customer_key else None
        export = json.loads(pathlib.Path(options.export).read_text(encoding="utf-8"))
        decrypt(export, root_key, customer_key, options.blobs, sys.stdout.buffer)
    except (Refused, InvalidTag, OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"decrypt.py: {type(error).__name__} {error}".rstrip())


main()
