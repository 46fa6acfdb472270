"""What is a blank at the ends of a value."""

from __future__ import annotations

# Unicode's White_Space (PropList.txt): tab, line feed, line tabulation, form feed, carriage return, space, next line,
# no-break space, Ogham space mark, en quad to hair space, line and paragraph separator, narrow no-break space, medium
# mathematical space, ideographic space. Then what Unicode once counted as such and nobody sees: the zero width
# space, and the zero width no-break space, which at the beginning of a text is a byte order mark.
BLANKS = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
    "\u200b\ufeff"
)
