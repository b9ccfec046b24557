"""Find out whether a text has any character that a person can see.

Unicode has no property “invisible”. General categories say what is white space, a control or a format character.
Default_Ignorable_Code_Point says what is not drawn: fillers, joiners, variation selectors. Five more characters are
drawn as blanks, although their properties say letter, mark or symbol.
"""

import unicodedata

#: Default_Ignorable_Code_Point from DerivedCoreProperties.txt, Unicode 16, which Python's `unicodedata` does not have.
#: Unicode reserves these ranges in advance, so later versions keep them.
_DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
#: Braille pattern blank, Khitan small script filler, both blanks of Egyptian hieroglyphs, musical null notehead.
_DRAWN_BLANK = frozenset("\u2800\U00016fe4\U00013441\U00013442\U0001d159")
#: Control, format, surrogate and unassigned characters; spaces and separators of lines and paragraphs.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp"})
#: Format characters that are drawn: Prepended_Concatenation_Mark, such as the Arabic number sign.
_DRAWN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")


def has_visible_character(text: str) -> bool:
    """Return whether a person who is shown the text sees anything."""
    return any(map(_is_visible, text))


def _is_visible(character: str) -> bool:
    if character.isascii():
        return character.isprintable() and character != " "
    if unicodedata.category(character) in _INVISIBLE_CATEGORIES:
        return character in _DRAWN_FORMATS
    if character in _DRAWN_BLANK:
        return False
    code = ord(character)
    return not any(first <= code <= last for first, last in _DEFAULT_IGNORABLE)
