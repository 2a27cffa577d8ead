"""Pictures from bytes: decoding, and what is computed from pixels."""

from egide.media.decode import Frame, Least, Limits, Picture, decode
from egide.sniff import Format, sniff_picture

__all__ = ["Format", "Frame", "Least", "Limits", "Picture", "decode", "sniff_picture"]
