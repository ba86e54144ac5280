from tests.evidence.tampering_honest import *
