from tests.journal.journal_script import *
