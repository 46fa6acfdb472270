"""`python -m gluebook`: the command line, also where a script of this environment can't be started."""

from gluebook.cli import main

main()
