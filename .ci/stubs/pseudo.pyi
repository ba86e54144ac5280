from tests.terminal.pseudo import *
