"""A little space that the tests of the command line share, and a broken one."""

LAMP = """\
/// A lamp that counts how often it was lit.

//@ ghost lit: number = 0
//@ answer off.NUMBER as number

/// The lamp is dark.
start : on _bright
/// The lamp is bright.
_bright : on _bright
        | off

/// Light the lamp.
//@ set lit = lit + 1
on : "on" NL

/// Say how often the lamp was lit.
//@ requires NUMBER == lit
off : "off " NUMBER NL

//@ type number
NUMBER : /[0-9]{1,3}/
NL : "\\n"
"""

BROKEN = LAMP.replace("| off", "| of")
