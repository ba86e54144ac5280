from tests.evidence.projects import *
